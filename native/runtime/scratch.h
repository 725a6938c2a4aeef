// Working memory of a thread: reused from call to call, 64-byte aligned, returned at the end of a frame.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>

namespace upsampling {

struct Arena;

// Memory taken from a frame is valid until the frame ends; frames nest. Throws std::bad_alloc.
class ScratchFrame {
 public:
  ScratchFrame();
  ~ScratchFrame();
  ScratchFrame(const ScratchFrame&) = delete;
  ScratchFrame& operator=(const ScratchFrame&) = delete;

  // `count` elements, uninitialised, with at least 128 bytes behind them that may be read and written.
  template <class T>
  T* take(int64_t count) {
    return static_cast<T*>(bytes(static_cast<size_t>(count) * sizeof(T) + 128));
  }

 private:
  friend class OwnScratch;
  explicit ScratchFrame(Arena& arena);
  void* bytes(size_t n);
  Arena& arena_;         // of this thread, which takes a call to find
  size_t block_, used_;  // where it stood
};

// A frame that ends with its owner, in little memory of its own.
class OwnScratch {
 public:
  OwnScratch();
  ~OwnScratch();
  ScratchFrame* frame() { return &frame_; }

 private:
  const std::unique_ptr<Arena> arena_;
  ScratchFrame frame_;
};

}  // namespace upsampling
