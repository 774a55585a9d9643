// What the kernels need of the machine. nvcc takes the card's instructions; any other compiler takes emulation.h, which runs the same
// kernels on the processor, so that they are tested where there is no card (emulation.rs).
#pragma once

#ifdef __CUDACC__
#define KERNEL extern "C" __global__ void
#define DEVICE static __device__ __forceinline__
#define SHARED __shared__
#define UNROLL _Pragma("unroll")
#else
#include "emulation.h"
#endif

// bf16: the upper half of an f32.
struct bf16 {
  unsigned short bits;
};

DEVICE float widen(float x) { return x; }
DEVICE float widen(bf16 x) {
  unsigned bits = (unsigned)x.bits << 16;
  float value;
  memcpy(&value, &bits, 4);
  return value;
}

// To the nearest, ties to even; NaN stays NaN.
DEVICE bf16 narrow_to_bf16(float x) {
  unsigned bits;
  memcpy(&bits, &x, 4);
  bf16 result;
  result.bits = x != x ? 0x7fff : (unsigned short)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
  return result;
}

DEVICE void put(float *target, float x) { *target = x; }
DEVICE void put(bf16 *target, float x) { *target = narrow_to_bf16(x); }

// Copies of 16 and of 4 bytes in one instruction; both sides must be at a multiple of that.
struct alignas(16) Sixteen {
  unsigned words[4];
};
DEVICE void copy_sixteen(void *target, const void *source) { *(Sixteen *)target = *(const Sixteen *)source; }
DEVICE unsigned four_bytes(const void *source) { return *(const unsigned *)source; }

// Two numbers in one register, the first in the lower half.
DEVICE unsigned pack(float first, float second) {
#ifdef __CUDACC__
  unsigned result;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(result) : "f"(second), "f"(first));
  return result;
#else
  return (unsigned)narrow_to_bf16(first).bits | (unsigned)narrow_to_bf16(second).bits << 16;
#endif
}

DEVICE float sigmoid(float x) { return 1.0f / (1.0f + exp2f(-1.4426950408889634f * x)); }

// From here on: what a warp does together. Every lane must take part.
#ifdef __CUDACC__
DEVICE void sync_block() { __syncthreads(); }
DEVICE void sync_warp() { __syncwarp(); }

DEVICE float from_lane_xor(float x, int mask) { return __shfl_xor_sync(0xffffffffu, x, mask); }

// c += a b for a 16 x 16 and a 16 x 8 matrix of bf16, sums in f32 (mma.sync.m16n8k16; the PTX manual shows which lane holds what).
DEVICE void multiply_add(float (&c)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) {
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
               : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

// The b of multiply_add from rows of 8 numbers in shared memory: lane n < 16 names row n, lanes above repeat them.
DEVICE void load_turned(unsigned &b0, unsigned &b1, const bf16 *row) {
  unsigned address = (unsigned)__cvta_generic_to_shared(row);
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0,%1}, [%2];" : "=r"(b0), "=r"(b1) : "r"(address));
}
#endif

// Sum or largest over the lanes that differ in the bits below `width`.
DEVICE float sum_of_lanes(float x, int width) {
  for (int mask = width / 2; mask > 0; mask /= 2) x += from_lane_xor(x, mask);
  return x;
}
DEVICE float largest_of_lanes(float x, int width) {
  for (int mask = width / 2; mask > 0; mask /= 2) x = fmaxf(x, from_lane_xor(x, mask));
  return x;
}
