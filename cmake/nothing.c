/* Nothing: a library whose sources are compiled in another (Together.cmake). */
typedef int nothing_here;
