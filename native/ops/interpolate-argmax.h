#pragma once
#include "ops/resized.h"
#include "runtime/context.h"

namespace upsampling {

// classes, scores and margins: [batch, out_size of each axis].
struct InterpolateArgmaxArgs {
  enum Scores { NO_SCORES, LOGIT, SOFTMAX };
  void* classes;
  int class_bytes;
  void* scores;   // float, or double for double logits; null when not wanted
  void* margins;  // likewise
  ResizedArgs in;
  int score_kind;
  bool has_threshold;
  double threshold;
  int64_t background;
};

Status interpolate_argmax(const InterpolateArgmaxArgs& args, const Context& context);

}  // namespace upsampling
