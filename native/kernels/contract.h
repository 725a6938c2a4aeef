// Included first by kernels whose products and sums contract to FMA, so that the last bits differ between
// instruction sets: the convolutions.
#pragma once
#if defined(__clang__)
#pragma clang fp contract(fast)
#else
// Short loops stay loops: a call of memset for three zeros costs more than the zeros.
#pragma GCC optimize("fp-contract=fast", "no-tree-loop-distribute-patterns")
#endif
