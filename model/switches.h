/*
 * What one run is about, read from the environment by the checker itself, so that a model is compiled once.
 * MUTANT(x): one guard is taken out, and the checker has to find what it was for.
 * REACH(x): something that should be possible is called impossible, and the checker has to find how it happens.
 * WATCHED: somebody honest looks at the log before a day ends, and says no to what the adversary has waiting.
 */
hidden byte switched = 0;
hidden byte watched = 0;

#define MUTANT(number) (switched == number)
#define REACH(number) (switched == number)
#define WATCHED watched

c_decl {
	\#include <stdlib.h>
	static int setting(const char *name) { const char *value = getenv(name); return value ? atoi(value) : 0; }
}

inline switches() { c_code { switched = setting("SWITCH"); watched = setting("WATCHED"); } }
