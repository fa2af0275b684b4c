/* The kernels of one width of vectors for the types of X and of the rest: both double, X float,
 * both float.  _dense.h includes this once for each width; the macros that it takes end here.
 */

#define NAME(f) NAME_OF(f, WIDTH, dd)
#define ENTRY double
#define NUMBER double
#define LANES_OF DOUBLES
#include "_dense_kernels.h"
#undef NAME
#undef ENTRY

#define NAME(f) NAME_OF(f, WIDTH, fd)
#define ENTRY float
#include "_dense_kernels.h"
#undef NAME
#undef NUMBER
#undef LANES_OF

#define NAME(f) NAME_OF(f, WIDTH, ff)
#define NUMBER float
#define LANES_OF (2 * DOUBLES)
#include "_dense_kernels.h"
#undef NAME
#undef ENTRY
#undef NUMBER
#undef LANES_OF

#undef TARGET
#undef ENTRY_POINT
#undef ROWS_FOR
#undef WIDTH
#undef DOUBLES
