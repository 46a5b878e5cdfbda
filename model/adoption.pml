/*
 * Who takes over an orphan ([A-21] to [A-23], [A-16], [A-17], [A-25]). Two committees of which m = 2 vote; who of their members supports the candidate is chosen
 * anew for each run: a whole committee colludes, one person sits in both, one is a holder of the package, one is the candidate.
 * WATCHED: an old key is live and its owner looks.
 *
 * variants: ADOPTION
 */
#include "switches.h"

#define M_NO_DORMANCY 1 /* a package in use is adopted */
#define M_NO_COOL_DOWN 2 /* a failed adoption may be tried again at once */
#define M_LIFE_IGNORED 3 /* an old key that says no changes nothing */
#define M_EARLY 4 /* an adoption is finished within its window */
#define M_LATE 5 /* an adoption is finished whenever it pleases */
#define M_SHORT 6 /* committees wait no longer than a successor */
#define M_NEVER_IGNORED 7 /* the mode never is ignored */
#define M_ONE_COMMITTEE 8 /* one committee is enough */
#define M_TWO_HATS 9 /* a member of both counts */
#define M_HOLDER_VOTES 10 /* a committee's member who is a holder counts */
#define M_CANDIDATE_VOTES 11 /* a committee's member who is the candidate counts */
#define M_ANYBODY_SUCCEEDS 12 /* a successor needn't be named */
#define M_OLD_KEYS_KEPT 13 /* old keys release after a transfer */
#define M_EPOCH_STAYS 14 /* a transfer is no new epoch */
#define M_UNRECOGNISED 15 /* committees count for a consumer who doesn't recognise them */

#define R_COMMITTEES 51 /* two committees let a candidate take over */
#define R_SUCCESSOR 52 /* a successor takes over */
#define R_OPEN 53 /* an open package is taken over */
#define R_LAPSED 54 /* an adoption that nobody finished lapses */
#define R_SAVED 55 /* a sign of life ends an adoption */
#define R_TWICE 56 /* a package changes hands twice */

/* ---- windows [A-20]: finish < succession < adoption < dormancy ---- */
#define FINISH_DAYS 1
#define SUCCESSION_DAYS 2
#define ADOPTION_DAYS 3
#define DORMANCY_DAYS 4

/* ---- members, one bit each: 1, 2 of the first committee; 4, 8 of the second; X of both; H (a holder) of the first; G (the candidate) of the second ---- */
#define X 16
#define H 32
#define G 64
#define IN(bit) ((support & (bit)) != 0)
#define FIRST (IN(1) + IN(2))
#define SECOND (IN(4) + IN(8))
/* [A-17], [A-21]: neither H nor G nor X */
#define BOTH_VOTE (FIRST >= 2 && SECOND >= 2)
#define HAT (MUTANT(M_TWO_HATS) && IN(X))
#define FIRST_M (FIRST + (MUTANT(M_HOLDER_VOTES) && IN(H)))
#define SECOND_M (SECOND + (MUTANT(M_CANDIDATE_VOTES) && IN(G)))
#define VOTED_1 (FIRST_M + HAT >= 2)
#define VOTED_2 (SECOND_M + HAT >= 2)
#define COUNTED (VOTED_1 && VOTED_2 || MUTANT(M_ONE_COMMITTEE) && (VOTED_1 || VOTED_2))

mtype = { asks, opens, refuses, nothing, waiting, ending, by_committees, by_successor, by_anyone };

mtype mode;                 /* of the authority in force */
bool successor;             /* it names the candidate */
bool alive;                 /* an old key is live */
byte support;               /* who of the committees signs */
bool recognised;            /* this consumer's policy names both committees */
byte epoch = 1, view = 1;   /* as the log sees it; as this consumer does */
mtype adoption = nothing, kind = nothing;
byte left = 0, idle = 0;
/* What no rule looks at: days since the adoption, days without any entry, whether somebody said no. */
byte age = 0, quiet = 0;
bool no = false;

#define WINDOW_OF(k) (k == by_committees -> ADOPTION_DAYS : SUCCESSION_DAYS)

inline forget_adoption() { adoption = nothing; kind = nothing; left = 0; age = 0; no = false }

inline propose(k)
{
	adoption = waiting;
	kind = k;
	left = (MUTANT(M_SHORT) -> SUCCESSION_DAYS : WINDOW_OF(k));
	age = 0;
	assert(quiet == DORMANCY_DAYS); /* a year without any entry, a failed adoption's included */
	assert(mode != refuses);
	assert(k != by_committees || BOTH_VOTE); /* two committees, of different people, without holders and candidates */
	assert(k != by_successor || successor);
	idle = (MUTANT(M_NO_COOL_DOWN) -> idle : 0);
	quiet = 0
}

#define MAY_PROPOSE (epoch < 3 && adoption == nothing && (mode != refuses || MUTANT(M_NEVER_IGNORED)) && (idle == DORMANCY_DAYS || MUTANT(M_NO_DORMANCY)))

/* [A-22]: whatever an old key signs */
inline life()
{
	assert(!(REACH(R_SAVED) && adoption != nothing));
	idle = (MUTANT(M_NO_COOL_DOWN) -> idle : 0);
	quiet = 0;
	if
	:: adoption != nothing && MUTANT(M_LIFE_IGNORED) -> no = true
	:: adoption != nothing && !MUTANT(M_LIFE_IGNORED) -> forget_adoption()
	:: else
	fi
}

/* [A-23] */
inline finish()
{
	assert(age >= WINDOW_OF(kind)); /* never within its window */
	assert(age <= WINDOW_OF(kind) + FINISH_DAYS);
	assert(!no); /* never when an old key shows life */
	assert(!(WATCHED && alive && epoch == 1));
	assert(!(REACH(R_COMMITTEES) && kind == by_committees));
	assert(!(REACH(R_SUCCESSOR) && kind == by_successor));
	assert(!(REACH(R_OPEN) && kind == by_anyone));
	epoch = (MUTANT(M_EPOCH_STAYS) -> epoch : epoch + 1);
	/* [A-16]: for this consumer void, and with it what follows from it; [A-25] */
	if
	:: view + 1 == epoch && (kind != by_committees || recognised || MUTANT(M_UNRECOGNISED)) -> view = epoch; assert(kind != by_committees || recognised)
	:: else
	fi;
	assert(epoch > 1); /* whoever pinned epoch 1 is stopped */
	assert(!(REACH(R_TWICE) && epoch == 3));
	mode = asks; successor = false; idle = 0; quiet = 0;
	forget_adoption()
}

init
{
	switches();
	if :: mode = asks :: mode = opens :: mode = refuses fi;
	if :: successor = true :: successor = false fi;
	if :: alive = true :: alive = false fi;
	if :: recognised = true :: recognised = false fi;
	if
	:: support = 4 | 8 | X | G :: support = 1 | 4 | X :: support = 1 | 4 | 8 | H :: support = 1 | 2 | 4 | G
	:: support = 1 | 2 | 4 | 8 :: support = 1 | 2 | 4 | X :: support = 0
	fi;
	do
	:: d_step { MAY_PROPOSE && COUNTED -> propose(by_committees) }
	:: d_step { MAY_PROPOSE && (successor || MUTANT(M_ANYBODY_SUCCEEDS)) -> propose(by_successor) }
	:: d_step { MAY_PROPOSE && mode == opens -> propose(by_anyone) }
	:: d_step { alive && epoch == 1 -> life() } /* release, heartbeat, veto, hold: all the same */
	:: d_step { alive && epoch > 1 && MUTANT(M_OLD_KEYS_KEPT) -> assert(false) } /* old keys are void after a transfer */
	:: d_step { adoption == ending || adoption == waiting && MUTANT(M_EARLY) -> finish() }
	:: d_step {
		!(WATCHED && alive && epoch == 1 && adoption != nothing && !no) ->
		if :: idle < DORMANCY_DAYS -> idle++ :: else fi;
		if :: quiet < DORMANCY_DAYS -> quiet++ :: else fi;
		if
		:: adoption != nothing && left == 1 && adoption == waiting -> left = FINISH_DAYS + 1; age++; adoption = ending
		:: adoption != nothing && left == 1 && adoption == ending -> assert(!REACH(R_LAPSED)); if :: MUTANT(M_LATE) -> age++ :: else -> forget_adoption() fi
		:: adoption != nothing && left > 1 -> left--; age++
		:: else
		fi;
		if :: age > 8 -> age = 8 :: else fi
	}
	od
}
