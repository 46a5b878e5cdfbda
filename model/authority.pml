/*
 * A package whose line is in force: who changes it, who releases under it, who can stop what (docs/spec/10-authority.md).
 *
 * One adversary has a few keys (`stolen`) and a new one of his own, T. Everybody else is honest: signs releases, changes to authorities in which the adversary
 * alone is too few, and vetoes. Any of them may do anything at any time, or never. Time is days in the windows' order, not their length.
 *
 * variants: TEAM SOLO
 */
#include "switches.h"

#define M_COUNTS_KEYS 1 /* two keys of one holder are two votes */
#define M_ONE_TOO_FEW 2 /* one holder fewer than m releases */
#define M_RECOVERY_RELEASES 3 /* recovery keys release */
#define M_REVOKED_KEY_SIGNS 4 /* a revoked key still counts */
#define M_FROZEN_RELEASES 5 /* a frozen package releases */
#define M_EXPEDITES_UNASKED 6 /* a committee expedites where the authority doesn't allow it */
#define M_COMMITTEE_ALONE 7 /* a committee releases without any holder */
#define M_NO_POSSESSION 8 /* a key is named without its signature */
#define M_LISTS_REVOKED 9 /* a change names a revoked key */
#define M_STALE_PREVIOUS 10 /* of two changes with one predecessor both count */
#define M_LOWERING_AT_ONCE 11 /* a change that weakens doesn't wait */
#define M_SOLO_AT_ONCE 12 /* a single holder's change doesn't wait */
#define M_RECOVERY_EARLY 13 /* recovery waits no longer than a lowering */
#define M_RECOVERY_BY_ONE 14 /* one recovery holder is enough for two */
#define M_VETO_IGNORED 15 /* a veto changes nothing */
#define M_RECOVERY_KEYS_CANT_VETO 16 /* recovery keys can't veto */
#define M_SOLO_WEAKENS_UNSEEN 17 /* a single holder's change that weakens as well can't be vetoed */
#define M_SOLO_SILENCES 18 /* a single holder revokes those who could veto */
#define M_SHORTENED 19 /* a replacement inherits the days that its predecessor has waited */

#define R_RELEASE 51 /* a quorum releases */
#define R_EXPEDITED 52 /* a release is expedited */
#define R_LOWERING 53 /* a quorum lowers its threshold */
#define R_RECOVERY 54 /* recovery takes effect */
#define R_SECOND_HOLDER 55 /* a single holder takes in a second one */
#define R_ASLEEP 56 /* stolen recovery keys take over while nobody watches */
#define R_FROZEN 57 /* a package is frozen */

/* ---- keys, one bit each ---- */
#define A1 1 /* alice */
#define A2 2 /* alice's backup: the same holder */
#define B 4
#define C 8
#define T 16 /* the adversary's own: a holder nobody knows */
#define R1 32
#define R2 64
#define R3 128
/* sets of them, in numbers because an array can't be begun with sums */
#define ALICE 3
#define ALICE_BOB 7
#define BACKUP_BOB 6
#define EVERYBODY 15
#define ALICE_CAROL_T 27
#define RECOVERY 224

#define HAS(set, key) (((set) & (key)) != 0)
#define HOLDERS(set) (HAS(set, ALICE) + HAS(set, B) + HAS(set, C) + HAS(set, T) + HAS(set, R1) + HAS(set, R2) + HAS(set, R3))
/* [S-5] */
#define COUNT(set) (HOLDERS(set) + (MUTANT(M_COUNTS_KEYS) && HAS(set, A1) && HAS(set, A2)))

/* ---- the authorities that anybody here may think of ---- */
#ifdef SOLO
#define AUTHORITIES 6
hidden byte keys[6] = { ALICE, T, T, A2, BACKUP_BOB, ALICE };
hidden byte recovery[6] = { RECOVERY, 0, RECOVERY, RECOVERY, RECOVERY, RECOVERY };
hidden byte recoverers[6] = { 2, 0, 2, 2, 2, 2 };
hidden byte releasers[6] = { 1, 1, 1, 1, 2, 1 };
hidden byte changers[6] = { 1, 1, 1, 1, 2, 1 };
hidden byte verifies[6] = { 1, 0, 1, 1, 1, 0 };
hidden byte expedites[6] = { 0, 0, 0, 0, 0, 0 };
#else
#define AUTHORITIES 8
#define LOWERED 2
hidden byte keys[8] = { EVERYBODY, ALICE_BOB, EVERYBODY, T, EVERYBODY, EVERYBODY, ALICE_CAROL_T, B };
hidden byte recovery[8] = { RECOVERY, RECOVERY, RECOVERY, 0, RECOVERY, RECOVERY, RECOVERY, RECOVERY };
hidden byte recoverers[8] = { 2, 2, 2, 0, 2, 2, 2, 2 };
hidden byte releasers[8] = { 2, 2, 1, 1, 2, 3, 2, 1 };
hidden byte changers[8] = { 2, 2, 2, 1, 2, 3, 3, 1 };
hidden byte verifies[8] = { 1, 1, 1, 1, 1, 1, 1, 1 };
hidden byte expedites[8] = { 0, 0, 0, 0, 1, 1, 0, 0 };
#endif
#define LISTED(i) (keys[i] | recovery[i])

/* ---- windows [A-20]: solo < lowering < recovery ---- */
#define SOLO_DAYS 1
#define LOWERING_DAYS 2
#define RECOVERY_DAYS 3
#define NONE 15

byte now = 0;      /* the authority in force */
byte revoked = 0;
byte stolen;       /* what the adversary signs with, beside T */
bool lost = false; /* something that the adversary signed alone took effect: possible only where nobody watched */

byte hp = NONE, hleft = 0; /* a change by holders that waits, and the days that it still has to */
bool hveto = false;        /* may be vetoed */
byte rp = NONE, rleft = 0; /* a change by recovery holders that waits */

bool draft = false, stale = false; /* the team signed a change and didn't submit it; an authority entry came after that */

/* What no rule looks at: how long it has to wait and did, whose it is, whether somebody said no. */
byte hneed = 0, hage = 0, rage = 0;
bool hadv = false, radv = false, hno = false, rno = false;

#define REALLY_LIVE (keys[now] & ~revoked)
#define LIVE (MUTANT(M_REVOKED_KEY_SIGNS) -> keys[now] : REALLY_LIVE)
#define LIVE_REC (recovery[now] & ~revoked)
#define ADVERSARY (stolen | T)
#define HONEST (255 & ~ADVERSARY)
#define ANYBODY 255
#define ALONE(pool) ((pool) == ADVERSARY)
#define SINGLE (HOLDERS(keys[now]) == 1)

/* Honest holders give themselves no authority in which the adversary is enough. */
#ifdef SOLO
#define SANE(i) (!HAS(keys[i], T))
#else
#define SANE(i) (!HAS(keys[i], T) && HOLDERS(keys[i] & ADVERSARY) < releasers[i])
#endif

/* [A-9] */
#define GONE(i, who, signers) (HAS(REALLY_LIVE, who) && !HAS(REALLY_LIVE & keys[i], who) && !HAS(signers, who))
#define LEAVES_OUT(i, signers) (GONE(i, ALICE, signers) || GONE(i, B, signers) || GONE(i, C, signers) || GONE(i, T, signers))
#define LOWERS(i) (releasers[i] < releasers[now] || changers[i] < changers[now] || verifies[i] < verifies[now] || expedites[i] > expedites[now])
#define WEAKENS(i, signers) (LOWERS(i) || LEAVES_OUT(i, signers))
#define HAS_TO_WAIT(i, signers) (WEAKENS(i, signers) -> LOWERING_DAYS : (SINGLE -> SOLO_DAYS : 0))

byte n, s, adds, wait, k; /* scratch, zero between steps */

inline forget() { n = 0; s = 0; adds = 0; wait = 0; k = 0 }

inline end_holders() { hp = NONE; hleft = 0; hneed = 0; hage = 0; hadv = false; hveto = false; hno = false }

inline end_recovery() { rp = NONE; rleft = 0; rage = 0; radv = false; rno = false }

inline in_force(i, adversarys)
{
	now = i;
	lost = lost || adversarys;
	end_holders();
	end_recovery() /* [A-11] */
}

/* [A-9], [A-11] */
inline changed(i, signers, adversarys)
{
	stale = draft;
	end_recovery();
	wait = HAS_TO_WAIT(i, signers);
	if
	:: MUTANT(M_LOWERING_AT_ONCE) && wait == LOWERING_DAYS -> wait = 0
	:: MUTANT(M_SOLO_AT_ONCE) && wait == SOLO_DAYS -> wait = 0
	:: MUTANT(M_SHORTENED) && hp != NONE -> wait = 1
	:: else
	fi;
	end_holders();
	if
	:: wait == 0 ->
		assert(HAS_TO_WAIT(i, signers) == 0); /* neither a weakening nor a single holder's change is at once */
		in_force(i, adversarys)
	:: else ->
		hp = i; hleft = wait; hadv = adversarys; hneed = HAS_TO_WAIT(i, signers);
		hveto = SINGLE && !(MUTANT(M_SOLO_WEAKENS_UNSEEN) && WEAKENS(i, signers))
	fi
}

inline choose_authority() { do :: n < AUTHORITIES - 1 -> n++ :: break od }

/* [A-8]: somebody wants it; everybody who is named signed, and no revoked key is. */
#define WANTED(pool) (n != now && (ALONE(pool) || SANE(n)))
#define WELL_NAMED ((MUTANT(M_NO_POSSESSION) || (adds & ~s) == 0) && (MUTANT(M_LISTS_REVOKED) || (LISTED(n) & revoked) == 0))

inline change(pool)
{
	choose_authority();
	adds = LISTED(n) & ~LISTED(now);
	s = pool & (LIVE | adds);
	if
	:: WANTED(pool) && COUNT(s & LIVE) >= changers[now] && WELL_NAMED ->
		assert(HOLDERS(s & REALLY_LIVE) >= changers[now]);
		assert((adds & ~s) == 0 && (LISTED(n) & revoked) == 0);
		changed(n, s, ALONE(pool))
	:: else
	fi;
	forget()
}

/* [A-8], [A-10] */
inline recover(pool)
{
	choose_authority();
	adds = LISTED(n) & ~LISTED(now);
	s = pool & (LIVE_REC | adds);
	if
	:: WANTED(pool) && recovery[now] != 0 && COUNT(s & LIVE_REC) + MUTANT(M_RECOVERY_BY_ONE) >= recoverers[now] && WELL_NAMED ->
		assert(HOLDERS(s & LIVE_REC) >= recoverers[now]);
		assert((adds & ~s) == 0 && (LISTED(n) & revoked) == 0);
		stale = draft;
		end_recovery();
		rp = n; rleft = (MUTANT(M_RECOVERY_EARLY) -> LOWERING_DAYS : RECOVERY_DAYS); radv = ALONE(pool)
	:: else
	fi;
	forget()
}

/* [A-12]: by itself, or by c holders; a single holder doesn't silence those who could veto. The honest revoke what was stolen. */
inline revoke(pool)
{
	if
	:: k = A1 :: k = A2 :: k = B :: k = C :: k = T :: k = R1 :: k = R2 :: k = R3
	fi;
	s = pool & LIVE;
	if
	:: HAS(LISTED(now), k) && !HAS(revoked, k) && (ALONE(pool) || HAS(stolen, k)) && (HAS(pool, k) || COUNT(s) >= changers[now] && (!SINGLE || HAS(keys[now], k) || MUTANT(M_SOLO_SILENCES))) ->
		stale = draft;
		revoked = revoked | k;
		assert(!(REACH(R_FROZEN) && HOLDERS(REALLY_LIVE) < releasers[now]))
	:: else
	fi;
	forget()
}

/* [A-13], [A-14], [S-24]: `committee` is a recognised committee's quorum, and it supports everybody. */
#define FROZEN (HOLDERS(REALLY_LIVE) < releasers[now])
#define MAY_EXPEDITE (COUNT(s) + 1 >= releasers[now] && COUNT(s) >= 1 && (expedites[now] || MUTANT(M_EXPEDITES_UNASKED)) || MUTANT(M_COMMITTEE_ALONE))

inline release(pool, committee)
{
	s = pool & (LIVE | (MUTANT(M_RECOVERY_RELEASES) -> LIVE_REC : 0));
	if
	:: (!FROZEN || MUTANT(M_FROZEN_RELEASES)) && (COUNT(s) + MUTANT(M_ONE_TOO_FEW) >= releasers[now] || committee && MAY_EXPEDITE) ->
		assert((s & ~REALLY_LIVE) == 0); /* no revoked, foreign or recovery key */
		assert(!FROZEN);
		assert(HOLDERS(s) >= releasers[now] || committee && expedites[now] && HOLDERS(s) >= 1 && HOLDERS(s) + 1 >= releasers[now]);
#ifndef SOLO
		assert(!ALONE(pool) || lost || committee && expedites[now]); /* nobody alone */
#endif
		assert(!REACH(R_RELEASE));
		assert(!(REACH(R_EXPEDITED) && HOLDERS(s) < releasers[now]))
	:: else
	fi;
	forget()
}

/* [A-15] */
#define RIGHT_TO_VETO(pool) (((pool) & (REALLY_LIVE | LIVE_REC)) != 0)
#define VETO_COUNTS(pool) (!MUTANT(M_VETO_IGNORED) && ((pool) & (LIVE | (MUTANT(M_RECOVERY_KEYS_CANT_VETO) -> 0 : LIVE_REC))) != 0)

inline veto_holders(pool)
{
	hno = true;
	if :: hveto && VETO_COUNTS(pool) -> end_holders() :: else fi
}

inline veto_recovery(pool)
{
	rno = true;
	if :: VETO_COUNTS(pool) -> end_recovery() :: else fi
}

/* Somebody honest could still say no: before the day ends she does, if she watches. */
#define STOPPABLE_H (hp != NONE && !hno && SINGLE && RIGHT_TO_VETO(HONEST))
#define STOPPABLE_R (rp != NONE && !rno && RIGHT_TO_VETO(HONEST))

/* [A-2]: what is due takes effect by itself, before anything else. */
inline day()
{
	if :: hp != NONE -> hleft--; hage++ :: else fi;
	if :: rp != NONE -> rleft--; rage++ :: else fi;
	if
	:: hp != NONE && hleft == 0 ->
		assert(hage >= hneed); /* no window is cut short */
		assert(!(hno && SINGLE)); /* a veto in time works */
		assert(!(hadv && WATCHED)); /* and so nobody takes over under watchful eyes */
		assert(!(REACH(R_LOWERING) && hneed == LOWERING_DAYS));
		assert(!(REACH(R_SECOND_HOLDER) && SINGLE && HOLDERS(keys[hp]) == 2));
		in_force(hp, hadv)
	:: else
	fi;
	if
	:: rp != NONE && rleft == 0 ->
		assert(rage >= RECOVERY_DAYS);
		assert(!rno);
		assert(!(radv && WATCHED));
		assert(!(REACH(R_RECOVERY) && !radv));
		assert(!(REACH(R_ASLEEP) && radv));
		in_force(rp, radv)
	:: else
	fi
}

init
{
	switches();
#ifdef SOLO
	if /* one of the two keys, one recovery key, or enough of those to recover; who has lost everything has nobody to speak for her */
	:: stolen = A1 :: stolen = R1 :: stolen = R1 | R2
	fi;
#else
	if /* a holder with both of her keys, a holder and one recovery key, or enough of those to recover */
	:: stolen = ALICE :: stolen = C | R1 :: stolen = R1 | R2
	fi;
#endif
	do
	:: atomic { change(ADVERSARY) }
	:: atomic { change(HONEST) }
	:: atomic { change(ANYBODY) }
	:: atomic { recover(ADVERSARY) }
	:: atomic { recover(HONEST) }
	:: atomic { revoke(ADVERSARY) }
	:: atomic { revoke(HONEST) }
	:: d_step { release(ADVERSARY, false) }
	:: d_step { release(ADVERSARY, true) }
	:: d_step { release(HONEST, false) }
	:: d_step { release(ANYBODY, true) }
	:: d_step { hp != NONE && RIGHT_TO_VETO(ADVERSARY) -> veto_holders(ADVERSARY) }
	:: d_step { rp != NONE && RIGHT_TO_VETO(ADVERSARY) -> veto_recovery(ADVERSARY) }
	:: d_step { STOPPABLE_H -> veto_holders(HONEST) }
	:: d_step { STOPPABLE_R -> veto_recovery(HONEST) }
#ifndef SOLO
	/* The team signs "1 of 3" where that is sane and keeps it in a drawer, where the adversary finds it. [A-8]: `previous` */
	:: d_step { !draft && now == 0 && SANE(LOWERED) && HOLDERS(HONEST & LIVE) >= changers[now] -> draft = true; stale = false }
	:: d_step { draft && (!stale || MUTANT(M_STALE_PREVIOUS)) -> assert(!stale); draft = false; n = LOWERED; s = HONEST & LIVE; changed(n, s, false); forget() }
	:: d_step { draft && stale -> draft = false; stale = false }
#endif
	:: d_step { (hp != NONE || rp != NONE) && !(WATCHED && (hadv && STOPPABLE_H || radv && STOPPABLE_R)) -> day() }
	od
}
