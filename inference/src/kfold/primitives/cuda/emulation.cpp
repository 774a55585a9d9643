// Runs one kernel on the processor: emulation.rs writes what to run to standard input and reads the buffers as they are afterwards.
//
// In, little-endian: length and bytes of the kernel's name; grid x y z, block x y z, whether to run in reverse order; number of arguments;
// of each its kind (0 a buffer, 1 a value), its size in bytes (64 bits) and its bytes. Numbers are 32 bits where nothing else is said.
// Out: the bytes of all buffers in order.
#include "attention.cu"
#include "pair.cu"

#include <functional>
#include <string>
#include <type_traits>

namespace {

// Bytes before and after a buffer that must stay as they are.
const size_t GUARD = 256;
const unsigned char GUARD_BYTE = 0xa5;

struct Argument {
  bool is_buffer;
  size_t size;
  std::vector<unsigned char> bytes;
  unsigned char *start;
};

std::vector<Argument> arguments;
std::function<void()> chosen;

[[noreturn]] void fail(const std::string &text) {
  fprintf(stderr, "%s\n", text.c_str());
  exit(2);
}

void read(void *target, size_t size) {
  if (fread(target, 1, size, stdin) != size) fail("the input ends too early");
}

unsigned word() {
  unsigned value;
  read(&value, 4);
  return value;
}

template <typename T>
T take(size_t index) {
  Argument &argument = arguments.at(index);
  if (argument.is_buffer != std::is_pointer<T>::value) fail("argument " + std::to_string(index) + " is of the wrong kind");
  T value;
  if constexpr (std::is_pointer<T>::value) {
    value = (T)argument.start;
  } else {
    if (argument.size != sizeof value) fail("argument " + std::to_string(index) + " is of the wrong size");
    memcpy(&value, argument.start, sizeof value);
  }
  return value;
}

template <typename... A, size_t... N>
void choose(void (*kernel)(A...), std::index_sequence<N...>) {
  if (arguments.size() != sizeof...(A)) fail("the kernel takes " + std::to_string(sizeof...(A)) + " arguments");
  chosen = [kernel] { kernel(take<A>(N)...); };
}
template <typename... A>
void choose(void (*kernel)(A...)) {
  choose(kernel, std::index_sequence_for<A...>());
}

}  // namespace

int main() {
  std::string name(word(), ' ');
  read(&name[0], name.size());
  unsigned sizes[6];
  read(sizes, sizeof sizes);
  bool reversed = word() != 0;
  arguments.resize(word());
  for (Argument &argument : arguments) {
    argument.is_buffer = word() == 0;
    unsigned long long size;
    read(&size, 8);
    argument.size = size;
    argument.bytes.assign(argument.size + 3 * GUARD, GUARD_BYTE);
    size_t address = (size_t)argument.bytes.data() + GUARD;
    argument.start = argument.bytes.data() + GUARD + (GUARD - address % GUARD) % GUARD;
    read(argument.start, argument.size);
  }
#define KNOWN(kernel) if (name == #kernel) choose(kernel);
#define KNOWN_ATTENTION(T) \
  KNOWN(attention_##T##_d16_q64) KNOWN(attention_##T##_d32_q64) KNOWN(attention_##T##_d48_q64) KNOWN(attention_##T##_d64_q64) \
  KNOWN(attention_##T##_d16_q32) KNOWN(attention_##T##_d32_q32) KNOWN(attention_##T##_d48_q32) KNOWN(attention_##T##_d64_q32)
#define KNOWN_PAIR(T) \
  KNOWN(norm_rows_##T) KNOWN(gate_and_turn_##T) KNOWN(turn_and_norm_##T) KNOWN(add_gated_##T) KNOWN(add_##T) KNOWN(swiglu_##T)
  KNOWN_ATTENTION(f32) KNOWN_ATTENTION(bf16) KNOWN_PAIR(f32) KNOWN_PAIR(bf16)
  if (!chosen) fail("there is no kernel " + name);
  emulation::run({sizes[0], sizes[1], sizes[2]}, {sizes[3], sizes[4], sizes[5]}, reversed, [] { chosen(); });
  for (const Argument &argument : arguments) {
    const unsigned char *from = argument.bytes.data(), *to = from + argument.bytes.size();
    for (const unsigned char *at = from; at < to; at++)
      if ((at < argument.start || at >= argument.start + argument.size) && *at != GUARD_BYTE) fail("a kernel wrote outside a buffer");
    if (argument.is_buffer) fwrite(argument.start, 1, argument.size, stdout);
  }
}
