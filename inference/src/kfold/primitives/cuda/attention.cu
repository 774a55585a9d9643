// Attention with additive bias and, where gate_offset is not negative, a gate: out = sigmoid(gate) * softmax(scale * q k^T + bias) v, one head of one entry of the batch at a time
// (K-Fold 1.0.0, primitives/attention.py and triangle_attention.py; AlphaFold 3, algorithms 14, 15 and 24). mod.rs says why.
//
// A block takes 16 queries a warp (bf16) or ROWS queries a row of 16 threads (f32) and goes over the keys a tile at a time with a running
// largest logit and a running sum (Dao et al. 2022, FlashAttention; Milakov and Gimelshein 2018), so no logit ever leaves the registers.
// Blocks of the same queries and head follow each other over the batch, so that a bias that the batch shares stays in the second cache.
//
// A key is there or not (a window reaches beyond the first or last atom), and if there it counts or is masked. A masked key's logit is
// -1e9 whatever q and bias say: if all are masked, all count alike, as in the reference. A bias of minus infinity takes a key away.
#include "device.cuh"

// Distances in numbers, not bytes. An entry of the batch is number outer * inner_count + inner.
struct AttentionShape {
  long long q_offset, q_outer, q_inner, q_row;
  long long gate_offset;
  long long k_offset, v_offset, k_outer, k_inner, k_row;
  long long bias_outer, bias_inner, bias_head, bias_row;
  long long mask_outer, mask_inner, mask_key;
  long long out_outer, out_inner, out_row;
  // Key k of an entry is row inner * key_step - key_before + k of k and v; it is there if that is at least 0 and below key_limit.
  int key_step, key_before, key_limit;
  int inner_count, queries, keys, width;
  float scale;
};
static_assert(sizeof(AttentionShape) == 192, "as attention.rs has it");

#define ABSENT -1e30f
#define MASKED -1e9f
#define LOG2_E 1.4426950408889634f

// What each of the keys from `start` on is: 0 not there, 1 masked, 2 counts.
DEVICE int key_state(const AttentionShape &shape, const unsigned char *mask, int outer, int inner, int key) {
  int row = inner * shape.key_step - shape.key_before + key;
  if (key >= shape.keys || row < 0 || row >= shape.key_limit) return 0;
  return mask[outer * shape.mask_outer + inner * shape.mask_inner + row * shape.mask_key] ? 2 : 1;
}

DEVICE float weight_of(float logit, float largest) { return logit <= 0.5f * ABSENT ? 0.0f : exp2f((logit - largest) * LOG2_E); }

template <int D, int WARPS>
DEVICE void attend(const bf16 *q, const bf16 *k, const bf16 *v, const bf16 *gate, const float *bias, const unsigned char *mask, bf16 *out,
                   const AttentionShape &shape) {
  const int TILE = 64, PITCH = D + 8, VECTORS = D / 8;
  alignas(16) SHARED bf16 keys[TILE * PITCH];
  alignas(16) SHARED bf16 values[TILE * PITCH];
  SHARED unsigned char states[TILE];

  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, group = lane / 4, quad = lane % 4;
  const int outer = blockIdx.x / shape.inner_count, inner = blockIdx.x % shape.inner_count, head = blockIdx.y;
  const int width = shape.width, column = head * width;
  q += shape.q_offset + outer * shape.q_outer + inner * shape.q_inner + column;
  const bool has_gate = shape.gate_offset >= 0;
  if (has_gate) gate += shape.gate_offset + outer * shape.q_outer + inner * shape.q_inner + column;
  k += shape.k_offset + outer * shape.k_outer + inner * shape.k_inner + column;
  v += shape.v_offset + outer * shape.k_outer + inner * shape.k_inner + column;
  bias += outer * shape.bias_outer + inner * shape.bias_inner + head * shape.bias_head;
  out += outer * shape.out_outer + inner * shape.out_inner + column;
  const int rows[2] = {(int)(blockIdx.z * WARPS + warp) * 16 + group, (int)(blockIdx.z * WARPS + warp) * 16 + group + 8};

  // A pair of numbers of a row of queries, or zeros beyond its ends.
  unsigned query[D / 16][4];
  UNROLL for (int step = 0; step < D / 16; step++) UNROLL for (int part = 0; part < 4; part++) {
    int row = rows[part % 2], at = step * 16 + part / 2 * 8 + 2 * quad;
    query[step][part] = 0;
    if (row < shape.queries && at < width) query[step][part] = four_bytes(q + row * shape.q_row + at);
  }

  float largest[2] = {ABSENT, ABSENT}, sum[2] = {0, 0};
  float attended[D / 8][4];
  UNROLL for (int n = 0; n < D / 8; n++) UNROLL for (int e = 0; e < 4; e++) attended[n][e] = 0;

  for (int start = 0; start < shape.keys; start += TILE) {
    sync_block();
    for (int i = threadIdx.x; i < TILE * VECTORS; i += WARPS * 32) {
      int key = i / VECTORS, at = i % VECTORS * 8, row = inner * shape.key_step - shape.key_before + start + key;
      alignas(16) bf16 found[2][8];
      memset(found, 0, sizeof found);
      if (start + key < shape.keys && row >= 0 && row < shape.key_limit && at < width) {
        const bf16 *from_k = k + row * shape.k_row + at, *from_v = v + row * shape.k_row + at;
        if (width % 8 == 0) {
          copy_sixteen(found[0], from_k);
          copy_sixteen(found[1], from_v);
        } else {
          for (int n = 0; n < 8 && at + n < width; n++) {
            found[0][n] = from_k[n];
            found[1][n] = from_v[n];
          }
        }
      }
      copy_sixteen(keys + key * PITCH + at, found[0]);
      copy_sixteen(values + key * PITCH + at, found[1]);
    }
    for (int i = threadIdx.x; i < TILE; i += WARPS * 32) states[i] = (unsigned char)key_state(shape, mask, outer, inner, start + i);
    sync_block();

    float logits[TILE / 8][4];
    UNROLL for (int n = 0; n < TILE / 8; n++) {
      UNROLL for (int e = 0; e < 4; e++) logits[n][e] = 0;
      UNROLL for (int step = 0; step < D / 16; step++) {
        const bf16 *key = keys + (n * 8 + group) * PITCH + step * 16 + 2 * quad;
        multiply_add(logits[n], query[step], four_bytes(key), four_bytes(key + 8));
      }
    }
    float highest[2] = {largest[0], largest[1]};
    UNROLL for (int n = 0; n < TILE / 8; n++) UNROLL for (int e = 0; e < 4; e++) {
      int at = n * 8 + 2 * quad + e % 2, row = rows[e / 2], state = states[at];
      float logit = state == 1 ? MASKED : ABSENT;
      if (state == 2 && row < shape.queries) logit = logits[n][e] * shape.scale + bias[row * shape.bias_row + start + at];
      logits[n][e] = logit;
      highest[e / 2] = fmaxf(highest[e / 2], logit);
    }
    UNROLL for (int half = 0; half < 2; half++) {
      highest[half] = largest_of_lanes(highest[half], 4);
      float shrink = exp2f((largest[half] - highest[half]) * LOG2_E);
      largest[half] = highest[half];
      sum[half] *= shrink;
      UNROLL for (int n = 0; n < D / 8; n++) UNROLL for (int e = 0; e < 2; e++) attended[n][2 * half + e] *= shrink;
    }
    UNROLL for (int n = 0; n < TILE / 8; n++) UNROLL for (int e = 0; e < 4; e++) {
      logits[n][e] = weight_of(logits[n][e], largest[e / 2]);
      sum[e / 2] += logits[n][e];
    }
    // The sums of two neighbouring products lie as the left matrix of the next product must.
    UNROLL for (int step = 0; step < TILE / 16; step++) {
      const float(&low)[4] = logits[2 * step], (&high)[4] = logits[2 * step + 1];
      const unsigned weights[4] = {pack(low[0], low[1]), pack(low[2], low[3]), pack(high[0], high[1]), pack(high[2], high[3])};
      UNROLL for (int n = 0; n < D / 8; n++) {
        unsigned b0, b1;
        load_turned(b0, b1, values + (step * 16 + lane % 16) * PITCH + n * 8);
        multiply_add(attended[n], weights, b0, b1);
      }
    }
  }
  UNROLL for (int half = 0; half < 2; half++) {
    float total = sum_of_lanes(sum[half], 4), inverse = total > 0 ? 1.0f / total : 0.0f;
    int row = rows[half];
    if (row >= shape.queries) continue;
    UNROLL for (int n = 0; n < D / 8; n++) {
      int at = n * 8 + 2 * quad;
      if (at >= width) continue;
      const float gates[2] = {has_gate ? sigmoid(widen(gate[row * shape.q_row + at])) : 1.0f,
                              has_gate ? sigmoid(widen(gate[row * shape.q_row + at + 1])) : 1.0f};
      *(unsigned *)(out + row * shape.out_row + at) = pack(attended[n][2 * half] * inverse * gates[0],
                                                           attended[n][2 * half + 1] * inverse * gates[1]);
    }
  }
}

// The same in f32: 128 threads, 8 rows of 16; a row of threads has ROWS queries, a thread two keys of a tile and D / 16 channels.
template <int D, int ROWS>
DEVICE void attend(const float *q, const float *k, const float *v, const float *gate, const float *bias, const unsigned char *mask,
                   float *out, const AttentionShape &shape) {
  const int TILE = 32, QUERIES = 8 * ROWS, PITCH = QUERIES + 4, CHANNELS = D / 16;
  alignas(16) SHARED float queries[D * PITCH];
  SHARED float keys[TILE * (D + 1)];
  alignas(16) SHARED float values[TILE * D];
  alignas(16) SHARED float weights[TILE * PITCH];
  SHARED unsigned char states[TILE];

  const int tx = threadIdx.x % 16, ty = threadIdx.x / 16;
  const int outer = blockIdx.x / shape.inner_count, inner = blockIdx.x % shape.inner_count, head = blockIdx.y;
  const int width = shape.width, column = head * width, first = blockIdx.z * QUERIES;
  q += shape.q_offset + outer * shape.q_outer + inner * shape.q_inner + column;
  const bool has_gate = shape.gate_offset >= 0;
  if (has_gate) gate += shape.gate_offset + outer * shape.q_outer + inner * shape.q_inner + column;
  k += shape.k_offset + outer * shape.k_outer + inner * shape.k_inner + column;
  v += shape.v_offset + outer * shape.k_outer + inner * shape.k_inner + column;
  bias += outer * shape.bias_outer + inner * shape.bias_inner + head * shape.bias_head;
  out += outer * shape.out_outer + inner * shape.out_inner + column;

  for (int i = threadIdx.x; i < D * QUERIES; i += 128) {
    int row = i / D, at = i % D;
    bool is_there = first + row < shape.queries && at < width;
    queries[at * PITCH + row] = is_there ? q[(first + row) * shape.q_row + at] * shape.scale : 0.0f;
  }
  float largest[ROWS], sum[ROWS], attended[ROWS][CHANNELS];
  UNROLL for (int r = 0; r < ROWS; r++) {
    largest[r] = ABSENT;
    sum[r] = 0;
    UNROLL for (int c = 0; c < CHANNELS; c++) attended[r][c] = 0;
  }
  for (int start = 0; start < shape.keys; start += TILE) {
    sync_block();
    for (int i = threadIdx.x; i < TILE * D; i += 128) {
      int key = i / D, at = i % D, row = inner * shape.key_step - shape.key_before + start + key;
      bool is_there = start + key < shape.keys && row >= 0 && row < shape.key_limit && at < width;
      keys[key * (D + 1) + at] = is_there ? k[row * shape.k_row + at] : 0.0f;
      values[key * D + at] = is_there ? v[row * shape.k_row + at] : 0.0f;
    }
    for (int i = threadIdx.x; i < TILE; i += 128) states[i] = (unsigned char)key_state(shape, mask, outer, inner, start + i);
    sync_block();

    float logits[ROWS][2];
    UNROLL for (int r = 0; r < ROWS; r++) logits[r][0] = logits[r][1] = 0;
    for (int at = 0; at < D; at++) {
      float key[2] = {keys[tx * (D + 1) + at], keys[(tx + 16) * (D + 1) + at]};
      UNROLL for (int r = 0; r < ROWS; r++) {
        float query = queries[at * PITCH + ty * ROWS + r];
        logits[r][0] += query * key[0];
        logits[r][1] += query * key[1];
      }
    }
    UNROLL for (int r = 0; r < ROWS; r++) {
      int row = first + ty * ROWS + r;
      UNROLL for (int n = 0; n < 2; n++) {
        int at = tx + 16 * n, state = states[at];
        float logit = state == 1 ? MASKED : ABSENT;
        if (state == 2 && row < shape.queries) logit = logits[r][n] + bias[row * shape.bias_row + start + at];
        logits[r][n] = logit;
      }
      float highest = fmaxf(largest[r], largest_of_lanes(fmaxf(logits[r][0], logits[r][1]), 16));
      float shrink = exp2f((largest[r] - highest) * LOG2_E);
      largest[r] = highest;
      sum[r] *= shrink;
      UNROLL for (int c = 0; c < CHANNELS; c++) attended[r][c] *= shrink;
      UNROLL for (int n = 0; n < 2; n++) {
        float weight = weight_of(logits[r][n], highest);
        sum[r] += weight;
        weights[(tx + 16 * n) * PITCH + ty * ROWS + r] = weight;
      }
    }
    // A row of threads reads only the weights that it wrote.
    sync_warp();
    for (int key = 0; key < TILE; key++) {
      float value[CHANNELS];
      UNROLL for (int c = 0; c < CHANNELS; c++) value[c] = values[key * D + tx * CHANNELS + c];
      UNROLL for (int r = 0; r < ROWS; r++) {
        float weight = weights[key * PITCH + ty * ROWS + r];
        UNROLL for (int c = 0; c < CHANNELS; c++) attended[r][c] += weight * value[c];
      }
    }
  }
  UNROLL for (int r = 0; r < ROWS; r++) {
    int row = first + ty * ROWS + r;
    float total = sum_of_lanes(sum[r], 16), inverse = total > 0 ? 1.0f / total : 0.0f;
    if (row >= shape.queries) continue;
    UNROLL for (int c = 0; c < CHANNELS; c++) {
      int at = tx * CHANNELS + c;
      if (at >= width) continue;
      float opened = has_gate ? sigmoid(gate[row * shape.q_row + at]) : 1.0f;
      out[row * shape.out_row + at] = attended[r][c] * inverse * opened;
    }
  }
}

#ifdef __CUDACC__
#define THREADS(count) __launch_bounds__(count)
#else
#define THREADS(count)
#endif
#define ATTENTION(name, T, D, SPLIT)                                                                                                  \
  KERNEL THREADS(128) name(const T *q, const T *k, const T *v, const T *gate, const float *bias, const unsigned char *mask, T *out,    \
                           AttentionShape shape) {                                                                                    \
    attend<D, SPLIT>(q, k, v, gate, bias, mask, out, shape);                                                                          \
  }
// Widths of a head up to D; 64 queries a block, or 32 for windows of atoms.
ATTENTION(attention_bf16_d16_q64, bf16, 16, 4)
ATTENTION(attention_bf16_d32_q64, bf16, 32, 4)
ATTENTION(attention_bf16_d48_q64, bf16, 48, 4)
ATTENTION(attention_bf16_d64_q64, bf16, 64, 4)
ATTENTION(attention_bf16_d16_q32, bf16, 16, 2)
ATTENTION(attention_bf16_d32_q32, bf16, 32, 2)
ATTENTION(attention_bf16_d48_q32, bf16, 48, 2)
ATTENTION(attention_bf16_d64_q32, bf16, 64, 2)
ATTENTION(attention_f32_d16_q64, float, 16, 8)
ATTENTION(attention_f32_d32_q64, float, 32, 8)
ATTENTION(attention_f32_d48_q64, float, 48, 8)
ATTENTION(attention_f32_d64_q64, float, 64, 8)
ATTENTION(attention_f32_d16_q32, float, 16, 4)
ATTENTION(attention_f32_d32_q32, float, 32, 4)
ATTENTION(attention_f32_d48_q32, float, 48, 4)
ATTENTION(attention_f32_d64_q32, float, 64, 4)
