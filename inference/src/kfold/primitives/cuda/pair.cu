// What stands between the matrix products of a triangle multiplication and of a transition of the pair state (K-Fold 1.0.0,
// primitives/triangle_multiplication.py, layers/folding/transition.py; AlphaFold 3, algorithms 11 to 13). mod.rs says why.
//
// The pair state z is f32 [pairs, C]; T, the type of what is multiplied, is f32 or bf16. Norms, sigmoids and sums are f32.
#include "device.cuh"

// out = (x - mean) / sqrt(variance + eps) * weight + bias, a warp a row of x [rows, channels].
template <typename T>
DEVICE void norm_rows(const float *x, const float *weight, const float *bias, T *out, int rows, int channels, float eps) {
  const int lane = threadIdx.x % 32;
  const long long row = (long long)blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32;
  const bool is_there = row < rows;
  x += is_there ? row * channels : 0;
  float sum = 0, squares = 0;
  for (int c = lane; c < channels; c += 32) sum += x[c];
  const float mean = sum_of_lanes(sum, 32) / channels;
  for (int c = lane; c < channels; c += 32) squares += (x[c] - mean) * (x[c] - mean);
  const float inverse = 1.0f / sqrtf(sum_of_lanes(squares, 32) / channels + eps);
  if (!is_there) return;
  for (int c = lane; c < channels; c += 32) put(out + row * channels + c, (x[c] - mean) * inverse * weight[c] + bias[c]);
}

// out [channels, pairs] = p * sigmoid(g) * mask, p and g being [pairs, channels]: gated, masked, and turned for a product over k a channel.
// A block is 32 x 8 threads and turns 32 pairs by 32 channels.
template <typename T>
DEVICE void gate_and_turn(const T *p, const T *g, const unsigned char *mask, T *out, int pairs, int channels) {
  SHARED float tile[32 * 33];
  const int first_pair = blockIdx.x * 32, first_channel = blockIdx.y * 32, tx = threadIdx.x, ty = threadIdx.y;
  UNROLL for (int n = ty; n < 32; n += 8) {
    int pair = first_pair + n, channel = first_channel + tx;
    if (pair < pairs && channel < channels) {
      long long at = (long long)pair * channels + channel;
      tile[n * 33 + tx] = mask[pair] ? widen(p[at]) * sigmoid(widen(g[at])) : 0.0f;
    }
  }
  sync_block();
  UNROLL for (int n = ty; n < 32; n += 8) {
    int pair = first_pair + tx, channel = first_channel + n;
    if (pair < pairs && channel < channels) put(out + (long long)channel * pairs + pair, tile[tx * 33 + n]);
  }
}

// out [pairs, channels]: x [channels, pairs] turned back, each pair normalised over its channels, of which there are at most 256.
// A block is 32 x 8 threads and takes 32 pairs.
template <typename T>
DEVICE void turn_and_norm(const T *x, const float *weight, const float *bias, T *out, int pairs, int channels, float eps) {
  SHARED float tile[256 * 33];
  const int first = blockIdx.x * 32, tx = threadIdx.x, ty = threadIdx.y;
  for (int c = ty; c < channels; c += 8) tile[c * 33 + tx] = first + tx < pairs ? widen(x[(long long)c * pairs + first + tx]) : 0.0f;
  sync_block();
  for (int n = ty; n < 32; n += 8) {
    float sum = 0, squares = 0;
    for (int c = tx; c < channels; c += 32) sum += tile[c * 33 + n];
    const float mean = sum_of_lanes(sum, 32) / channels;
    for (int c = tx; c < channels; c += 32) squares += (tile[c * 33 + n] - mean) * (tile[c * 33 + n] - mean);
    const float inverse = 1.0f / sqrtf(sum_of_lanes(squares, 32) / channels + eps);
    if (first + n < pairs) {
      for (int c = tx; c < channels; c += 32)
        put(out + (long long)(first + n) * channels + c, (tile[c * 33 + n] - mean) * inverse * weight[c] + bias[c]);
    }
  }
}

DEVICE long long own_number() { return (long long)blockIdx.x * blockDim.x + threadIdx.x; }

// z += p * sigmoid(g).
template <typename T>
DEVICE void add_gated(float *z, const T *p, const T *g, long long count) {
  long long i = own_number();
  if (i < count) z[i] += widen(p[i]) * sigmoid(widen(g[i]));
}

// z += x.
template <typename T>
DEVICE void add(float *z, const T *x, long long count) {
  long long i = own_number();
  if (i < count) z[i] += widen(x[i]);
}

// out [rows, hidden] = silu(a) * b, a and b being the halves of the rows of x [rows, 2 hidden].
template <typename T>
DEVICE void swiglu(const T *x, T *out, long long rows, int hidden) {
  long long i = own_number();
  if (i >= rows * hidden) return;
  long long row = i / hidden, column = i % hidden;
  const float a = widen(x[row * 2 * hidden + column]), b = widen(x[row * 2 * hidden + hidden + column]);
  put(out + i, a * sigmoid(a) * b);
}

#define PAIR(NAME, T)                                                                                                                   \
  KERNEL norm_rows_##NAME(const float *x, const float *weight, const float *bias, T *out, int rows, int channels, float eps) {           \
    norm_rows<T>(x, weight, bias, out, rows, channels, eps);                                                                            \
  }                                                                                                                                     \
  KERNEL gate_and_turn_##NAME(const T *p, const T *g, const unsigned char *mask, T *out, int pairs, int channels) {       \
    gate_and_turn<T>(p, g, mask, out, pairs, channels);                                                                       \
  }                                                                                                                                     \
  KERNEL turn_and_norm_##NAME(const T *x, const float *weight, const float *bias, T *out, int pairs, int channels, float eps) {         \
    turn_and_norm<T>(x, weight, bias, out, pairs, channels, eps);                                                                       \
  }                                                                                                                                     \
  KERNEL add_gated_##NAME(float *z, const T *p, const T *g, long long count) { add_gated<T>(z, p, g, count); }                          \
  KERNEL add_##NAME(float *z, const T *x, long long count) { add<T>(z, x, count); }                                                     \
  KERNEL swiglu_##NAME(const T *x, T *out, long long rows, int hidden) { swiglu<T>(x, out, rows, hidden); }
PAIR(f32, float)
PAIR(bf16, bf16)
