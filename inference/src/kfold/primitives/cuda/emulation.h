// A card on the processor, for tests: the threads of a block are fibers that run one after the other from one barrier to the next, and
// blocks follow each other. What a warp does together goes through a table of its lanes. `reversed` runs fibers and blocks from the last to
// the first: a kernel that lacks a barrier gives something else then.
#pragma once

#include <setjmp.h>
#include <ucontext.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#define KERNEL extern "C" void
#define DEVICE static inline
#define SHARED static
#define UNROLL

struct Index {
  unsigned x, y, z;
};
static Index threadIdx, blockIdx, blockDim, gridDim;

namespace emulation {

struct Lane {
  float number;
  unsigned words[6];
  float sums[4];
  const void *address;
};

struct Fiber {
  ucontext_t context;
  jmp_buf place;
  bool started;
  std::vector<char> stack;
  Index index;
  bool done;
};

static std::vector<Fiber> fibers;
static std::vector<Lane> lanes;
static jmp_buf scheduler;
static size_t current;
static void (*body)();

static void enter() {
  body();
  fibers[current].done = true;
  _longjmp(scheduler, 1);
}

// All fibers have come here before one goes on. Jumps, because swapping contexts asks the system each time.
static void barrier() {
  if (_setjmp(fibers[current].place) == 0) _longjmp(scheduler, 1);
  threadIdx = fibers[current].index;
}

// Runs the current fiber to its next barrier or its end.
static void resume() {
  Fiber &fiber = fibers[current];
  threadIdx = fiber.index;
  if (_setjmp(scheduler) != 0) return;
  if (fiber.started) _longjmp(fiber.place, 1);
  fiber.started = true;
  setcontext(&fiber.context);
}

// Runs the kernel that `call` calls.
static void run(Index grid, Index block, bool reversed, void (*call)()) {
  body = call;
  gridDim = grid;
  blockDim = block;
  size_t threads = (size_t)block.x * block.y * block.z, blocks = (size_t)grid.x * grid.y * grid.z;
  if (threads % 32 != 0) {
    fprintf(stderr, "a block of %zu threads is no whole number of warps\n", threads);
    exit(2);
  }
  fibers.resize(threads);
  lanes.resize(threads);
  for (size_t number = 0; number < blocks; number++) {
    size_t b = reversed ? blocks - 1 - number : number;
    blockIdx = {(unsigned)(b % grid.x), (unsigned)(b / grid.x % grid.y), (unsigned)(b / grid.x / grid.y)};
    for (size_t t = 0; t < threads; t++) {
      Fiber &fiber = fibers[t];
      fiber.stack.resize(1 << 16);
      fiber.index = {(unsigned)(t % block.x), (unsigned)(t / block.x % block.y), (unsigned)(t / block.x / block.y)};
      fiber.started = fiber.done = false;
      getcontext(&fiber.context);
      fiber.context.uc_stack.ss_sp = fiber.stack.data();
      fiber.context.uc_stack.ss_size = fiber.stack.size();
      fiber.context.uc_link = nullptr;
      makecontext(&fiber.context, enter, 0);
    }
    for (size_t left = threads; left > 0;) {
      size_t ended = 0;
      for (size_t i = 0; i < threads; i++) {
        current = reversed ? threads - 1 - i : i;
        if (fibers[current].done) continue;
        resume();
        ended += fibers[current].done;
      }
      // A thread that leaves while others wait would hang a card.
      if (ended != 0 && ended != left) {
        fprintf(stderr, "%zu of %zu threads ended while others wait at a barrier\n", ended, left);
        exit(2);
      }
      left -= ended;
    }
  }
}

}  // namespace emulation

static void sync_block() { emulation::barrier(); }
static void sync_warp() { emulation::barrier(); }

static float from_lane_xor(float x, int mask) {
  using namespace emulation;
  lanes[current].number = x;
  barrier();
  float other = lanes[current ^ (size_t)mask].number;
  barrier();
  return other;
}

static float half_of(unsigned word, int index) {
  unsigned bits = (index == 0 ? word : word >> 16) << 16;
  float value;
  memcpy(&value, &bits, 4);
  return value;
}

static void multiply_add(float (&c)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) {
  using namespace emulation;
  unsigned words[6] = {a[0], a[1], a[2], a[3], b0, b1};
  memcpy(lanes[current].words, words, sizeof words);
  barrier();
  const Lane *warp = &lanes[current / 32 * 32];
  size_t lane = current % 32, group = lane / 4, quad = lane % 4;
  for (int e = 0; e < 4; e++) {
    size_t row = group + (e >= 2 ? 8 : 0), column = 2 * quad + e % 2;
    float sum = c[e];
    for (size_t k = 0; k < 16; k++) {
      size_t part = (row >= 8 ? 1 : 0) + (k >= 8 ? 2 : 0);
      float left = half_of(warp[row % 8 * 4 + k % 8 / 2].words[part], k % 2);
      float right = half_of(warp[column * 4 + k % 8 / 2].words[4 + (k >= 8)], k % 2);
      sum += left * right;
    }
    c[e] = sum;
  }
  barrier();
}

struct bf16;
static void load_turned(unsigned &b0, unsigned &b1, const bf16 *row) {
  using namespace emulation;
  if ((size_t)row % 16 != 0) {
    fprintf(stderr, "a row of a matrix is not at a multiple of 16 bytes\n");
    exit(2);
  }
  lanes[current].address = row;
  barrier();
  const Lane *warp = &lanes[current / 32 * 32];
  size_t lane = current % 32, group = lane / 4, quad = lane % 4;
  for (int part = 0; part < 2; part++) {
    unsigned short pair[2];
    for (int n = 0; n < 2; n++) {
      const unsigned short *source = (const unsigned short *)warp[part * 8 + 2 * quad + n].address;
      pair[n] = source[group];
    }
    (part == 0 ? b0 : b1) = pair[0] | (unsigned)pair[1] << 16;
  }
  barrier();
}
