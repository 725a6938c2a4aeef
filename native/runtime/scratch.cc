#include "runtime/scratch.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include <cstdlib>
#include <new>
#include <vector>

namespace upsampling {

namespace {

constexpr size_t kBlock = 256 * 1024, kOwnBlock = 8 * 1024;
// A thread that served one huge call does not keep its memory for ever.
constexpr size_t kKeep = 8 * 1024 * 1024;
constexpr size_t kHuge = 2 * 1024 * 1024;

struct Block {
  char* data;
  size_t size;
};

}  // namespace

// Blocks never move, so memory already taken stays valid when another block is added.
struct Arena {
  std::vector<Block> blocks;
  size_t block = 0, used = 0;
  const size_t least;  // of a block

  explicit Arena(size_t least) : least(least) {}
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  void* take(size_t n) {
    n = (n + 63) & ~size_t{63};
    while (block < blocks.size() && used + n > blocks[block].size) {
      ++block;
      used = 0;
    }
    if (block == blocks.size()) {
      const size_t size = n > least ? n : least;
      blocks.reserve(blocks.size() + 1);
      // What is too large to be kept is touched anew each time: in huge pages that costs a sixth.
      const size_t align = size >= kKeep / 2 ? kHuge : 64;
      char* data = static_cast<char*>(std::aligned_alloc(align, (size + align - 1) & ~(align - 1)));
      if (data == nullptr) throw std::bad_alloc();
#if defined(__linux__)
      if (align == kHuge) madvise(data, size, MADV_HUGEPAGE);
#endif
      blocks.push_back({data, size});
    }
    void* p = blocks[block].data + used;
    used += n;
    return p;
  }

  void shrink() {
    size_t total = 0;
    for (const Block& b : blocks) total += b.size;
    while (!blocks.empty() && total > kKeep) {
      total -= blocks.back().size;
      std::free(blocks.back().data);
      blocks.pop_back();
    }
  }

  ~Arena() {
    for (const Block& b : blocks) std::free(b.data);
  }
};

namespace {

Arena& arena() {
  thread_local Arena a(kBlock);
  return a;
}

}  // namespace

ScratchFrame::ScratchFrame() : ScratchFrame(arena()) {}

ScratchFrame::ScratchFrame(Arena& arena) : arena_(arena), block_(arena.block), used_(arena.used) {}

ScratchFrame::~ScratchFrame() {
  arena_.block = block_;
  arena_.used = used_;
  if (block_ == 0 && used_ == 0) arena_.shrink();
}

void* ScratchFrame::bytes(size_t n) { return arena_.take(n); }

OwnScratch::OwnScratch() : arena_(new Arena(kOwnBlock)), frame_(*arena_) {}

OwnScratch::~OwnScratch() = default;

}  // namespace upsampling
