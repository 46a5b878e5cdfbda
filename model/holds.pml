/*
 * What a hold can do to one version ([A-18]): fewer than m holders, and a committee, can delay and no more; m holders, and a committee with an OSV id, mean it.
 *
 * variants: HOLDS
 */
#include "switches.h"

#define M_RENEWED_FOR_EVER 1 /* a hold may be renewed without end */
#define M_HELD_AGAIN 2 /* a hold that has ended may be made again */
#define M_OLD_VERSIONS 3 /* a committee holds an old version without an OSV id */
#define M_NEVER_ENDS 4 /* a hold by one holder doesn't end */
#define M_UNRELEASED 5 /* a committee holds a version that nobody has released, without an OSV id */

#define R_HELD_LONGEST 51 /* one holder's hold is renewed twice */
#define R_COMMITTEE 52 /* a committee holds a fresh version */
#define R_LIFTED 53 /* a hold is lifted */

/* ---- windows [A-20]: maintainer-hold < committee-hold < fresh ---- */
#define ONE_DAYS 1
#define COMMITTEE_DAYS 2
#define FRESH_DAYS 3
#define ONE 0
#define COMMITTEE 1
#define DAYS(by) (by == ONE -> ONE_DAYS : COMMITTEE_DAYS)

bool released = false, had[2], holding[2];
byte age = 0, left[2], renewals[2];
byte held[2]; /* days in all, which no rule looks at */

inline hold(by)
{
	assert(by != COMMITTEE || released && age <= FRESH_DAYS);
	holding[by] = true;
	had[by] = true;
	left[by] = DAYS(by);
	renewals[by] = 0;
	assert(!(REACH(R_COMMITTEE) && by == COMMITTEE))
}

#define MAY_HOLD(by) (!holding[by] && (!had[by] || MUTANT(M_HELD_AGAIN)))
#define MAY_RENEW(by) (holding[by] && left[by] <= DAYS(by) && (renewals[by] < 2 || MUTANT(M_RENEWED_FOR_EVER)))
#define IS_FRESH (released || MUTANT(M_UNRELEASED)) && (age <= FRESH_DAYS || MUTANT(M_OLD_VERSIONS))

inline renew(by)
{
	left[by] = left[by] + DAYS(by);
	assert(!(REACH(R_HELD_LONGEST) && renewals[by] == 1 && by == ONE));
	renewals[by] = (renewals[by] < 2 -> renewals[by] + 1 : 2)
}

inline lift(by) { holding[by] = false; left[by] = 0; renewals[by] = 0; assert(!REACH(R_LIFTED)) }

inline later(by)
{
	if
	:: holding[by] ->
		held[by]++;
		assert(held[by] <= 3 * DAYS(by)); /* nobody holds a version for good */
		left[by] = (MUTANT(M_NEVER_ENDS) -> left[by] : left[by] - 1);
		if :: left[by] == 0 -> holding[by] = false; renewals[by] = 0 :: else fi
	:: else
	fi
}

init
{
	switches();
	do
	:: d_step { !released -> released = true }
	:: d_step { MAY_HOLD(ONE) -> hold(ONE) }
	:: d_step { MAY_HOLD(COMMITTEE) && IS_FRESH -> hold(COMMITTEE) }
	:: d_step { MAY_RENEW(ONE) -> renew(ONE) }
	:: d_step { MAY_RENEW(COMMITTEE) -> renew(COMMITTEE) }
	:: d_step { holding[ONE] -> lift(ONE) } /* by c holders */
	:: d_step { holding[COMMITTEE] -> lift(COMMITTEE) } /* by c members */
	:: d_step { if :: released && age <= FRESH_DAYS -> age++ :: else fi; later(ONE); later(COMMITTEE) }
	od
}
