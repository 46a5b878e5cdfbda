/*
 * Who comes into force first ([A-3] to [A-6], [A-16]). Three claimants: a stranger under two names, who can publish nothing; a thief, who has the npm account for a while and so
 * can give proof (a); the owner, who can as well. A committee that the log recognises endorses the owner, or nobody; one that it doesn't, anybody.
 *
 * variants: CLAIMS
 */
#include "switches.h"

#define M_OUTSIDERS_CLAIM 1 /* a rival claim needs no proof, and crowds the owner out */
#define M_UNPROVEN_IN_FORCE 2 /* a claim alone comes into force without proof */
#define M_PROOF_OPENS_NOTHING 3 /* a proof late in the window leaves nobody time to answer */
#define M_CLAIM_OPENS_NOTHING 4 /* a rival claim late in the window leaves nobody time to answer */
#define M_FIRST_WINS 5 /* of two equal proofs the first wins */
#define M_CLAIMS_OVER 6 /* a package in force may be claimed again */
#define M_STRANGE_COMMITTEE 7 /* a committee that nobody recognises endorses */
#define M_WINDOW_ZERO 8 /* a claim is settled the day after */

#define R_OWNER 51 /* the owner comes into force */
#define R_THIEF 52 /* the thief does, while the owner sleeps */
#define R_CONTESTED 53 /* a package is contested */
#define R_ENDORSED 54 /* an endorsement ends a contest */
#define R_LATE_PROOF 55 /* a claim that stayed unproven gets its proof and comes into force */

#define WINDOW 2
#define STRANGER 0
#define THIEF 1
#define OWNER 2
#define STRANGER_TOO 3
#define NOBODY 4
#define LIMIT 3 /* lines */

bool on[4];
byte proof[4];           /* 0 none, 1 proof (a), 2 endorsed: [A-5] */
byte left = 0;           /* days until the lines are settled; 0: they are */
byte force = NOBODY;
bool thief;              /* there is one */
bool contested = false, unproven = false;
byte seen[4];            /* days since a line's proof is what it is: no rule looks at it */

byte i, best, number, who; /* scratch */

#define LINES (on[STRANGER] + on[THIEF] + on[OWNER] + on[STRANGER_TOO])

/* [A-3], [A-6] */
#define MAY_CLAIM(by, proven) (!on[by] && (force == NOBODY || MUTANT(M_CLAIMS_OVER)) && LINES < LIMIT && (LINES == 0 || proven || MUTANT(M_OUTSIDERS_CLAIM)))
#define MAY_PROVE(by, strength) (on[by] && force == NOBODY && proof[by] < strength)

inline opens() { left = (MUTANT(M_WINDOW_ZERO) -> 1 : WINDOW) }

inline claim(by, proven)
{
	if :: !(MUTANT(M_CLAIM_OPENS_NOTHING) && left > 0) -> opens() :: else fi;
	on[by] = true;
	proof[by] = proven;
	seen[by] = 0;
	assert(on[OWNER] || LINES < LIMIT || force != NOBODY) /* there is room for the owner */
}

inline proves(by, strength)
{
	if :: left == 0 || strength == 1 && !MUTANT(M_PROOF_OPENS_NOTHING) -> opens() :: else fi; /* [A-4] */
	proof[by] = strength;
	seen[by] = 0
}

#define STRONGER(line) (on[line] && (proof[line] > best || number == 0))
#define EQUAL(line) (on[line] && proof[line] == best && number > 0)

inline weigh(line)
{
	if
	:: STRONGER(line) -> best = proof[line]; number = 1; who = line
	:: !STRONGER(line) && EQUAL(line) -> number++
	:: else
	fi
}

/* [A-4] */
inline settle()
{
	assert(force == NOBODY); /* what is in force is settled for good */
	best = 0; number = 0; who = NOBODY;
	weigh(STRANGER); weigh(THIEF); weigh(OWNER); weigh(STRANGER_TOO);
	if
	:: (best > 0 || MUTANT(M_UNPROVEN_IN_FORCE)) && (number == 1 || MUTANT(M_FIRST_WINS)) ->
		force = who;
		assert(proof[who] > 0);
		assert(who != STRANGER && who != STRANGER_TOO);
		assert(number == 1); /* equals give nobody trust */
		assert(seen[who] >= WINDOW || proof[who] == 2); /* who comes into force by a proof has been there to be answered for the whole window */
		assert(!(WATCHED && who == THIEF)); /* and so an owner who looks, and can publish, loses nothing */
		assert(!(REACH(R_OWNER) && who == OWNER));
		assert(!(REACH(R_THIEF) && who == THIEF));
		assert(!(REACH(R_ENDORSED) && contested));
		assert(!(REACH(R_LATE_PROOF) && unproven));
		on[STRANGER] = who == STRANGER; on[STRANGER_TOO] = who == STRANGER_TOO; on[THIEF] = who == THIEF; on[OWNER] = who == OWNER
	:: else ->
		assert(!(!thief && on[OWNER] && proof[OWNER] > 0)); /* a stranger keeps nobody from what is hers */
		assert(!(REACH(R_CONTESTED) && best > 0));
		contested = best > 0;
		unproven = best == 0
	fi;
	best = 0; number = 0; who = 0
}

inline later(line) { if :: on[line] && seen[line] < WINDOW -> seen[line]++ :: else fi }

#define HAS_TO_ANSWER (on[THIEF] && proof[THIEF] > 0 && proof[OWNER] < proof[THIEF] && force == NOBODY)

init
{
	switches();
	if :: thief = true :: thief = false fi;
	do
	:: d_step { MAY_CLAIM(STRANGER, 0) -> claim(STRANGER, 0) }
	:: d_step { MAY_CLAIM(STRANGER_TOO, 0) -> claim(STRANGER_TOO, 0) }
	:: d_step { thief && MAY_CLAIM(THIEF, 0) -> claim(THIEF, 0) }
	:: d_step { thief && MAY_CLAIM(THIEF, 1) -> claim(THIEF, 1) }
	:: d_step { thief && MAY_PROVE(THIEF, 1) -> proves(THIEF, 1) }
	:: d_step { MAY_CLAIM(OWNER, 0) -> claim(OWNER, 0) }
	:: d_step { MAY_CLAIM(OWNER, 1) -> claim(OWNER, 1) }
	:: d_step { MAY_PROVE(OWNER, 1) -> proves(OWNER, 1) }
	:: d_step { MAY_PROVE(OWNER, 2) -> proves(OWNER, 2) }
	:: d_step { MUTANT(M_STRANGE_COMMITTEE) && MAY_PROVE(STRANGER, 2) -> proves(STRANGER, 2) } /* [A-16]: else it is void */
	:: d_step {
		left > 0 && !(WATCHED && HAS_TO_ANSWER) ->
		left--;
		later(STRANGER); later(STRANGER_TOO); later(THIEF); later(OWNER);
		if :: left == 0 -> settle() :: else fi
	}
	:: left == 0 -> break
	od
}
