// Leaves of the convolution family (convolution-*.cc). T computes: float, or double. Null where there is
// none.
#pragma once
#include <stdint.h>

#include "kernels/types.h"

namespace upsampling {

// Neighbouring pixels as one kernel element sees them.
struct ConvRun {
  int64_t to, from;
  int64_t lead, stop;  // inside the input
};

// A copy of n elements that is repeated `step` apart for every channel.
struct ConvCopy {
  int64_t to, from, n, step;
};

// A line of n outputs, and where its sums are.
struct ConvLine {
  int64_t to, at, n;
};

// What rows sum over: channels of taps, each tap at its own offset in the inputs and with its own weights;
// how often they are repeated, for other inputs; where the second vector of a row is stored; whether rows ask
// for the inputs of the next repeat, which come from far; and for outputs: their own, or where those lie
// together (wide, slide), what follows them.
struct ConvSum {
  const int64_t *offset, *order;
  int64_t taps, channels;
  int64_t count = 0, c_step = 0, v_step = 0;
  int64_t second = 0;
  int64_t some = 0;  // of a single vector: columns that are stored, or 0 for all
  int64_t single = 0;
  bool ahead = false, asks = false;
  // Where taps slide: how many (1 … kSlide) there are of each offset and order, each of them a pixel further
  // on and with weights `next` further on.
  static constexpr int kSlide = 4;
  const int64_t* slide = nullptr;
  int64_t next = 0;  // and where there are three vectors (rows)
};

// Channels of a tap that a tile takes one after the other: where their inputs begin, and their weights (times
// the columns).
struct ConvPiece {
  int64_t from, weight, n;
};

// What a tile sums over, and how often it is repeated. Channels of all pieces are a list of where their
// inputs are, or each piece's are evenly apart.
struct ConvTiles {
  static constexpr int64_t kBlock = 16;  // channels of which a tile takes all taps before the next ones
  const ConvPiece* piece;
  int64_t pieces;
  int64_t channel;  // from a channel to the next one in v
  int64_t count, c_step, v_step;
  // Before each piece a tile asks for `asked` lines of memory, the next of `ahead`.
  const char* const* ahead = nullptr;
  int64_t asked = 0;
  const int64_t* list = nullptr;
};

// Copies that a tile makes on its way: of each of `channels` planes, two vectors for each of `panels` panels.
template <class T>
struct ConvMove {
  const T* from;
  T* to;
  int64_t panels, panel;  // and from one panel to the next
  int64_t channel;        // from a plane to the next
  int64_t at, left;       // the panel that is next, and the copies that are left
  const T *ask, *next;    // what is asked for meanwhile, and where that goes on after so many planes
  int64_t planes;
};

// Sums over the taps of one channel, of rows of n positions.
struct ConvDeep {
  int64_t rows, n, in_row, out_row;
  int64_t taps[2];
  const int64_t* offset[2];
};

// The four phases of doubled planes: rows of n positions, from many channels to few.
struct ConvDouble {
  static constexpr int kMost = 3;  // output channels
  int64_t rows, n, channels;
  int64_t in_channel, in_row, out_channel, out_row;
};

// Rows of n inputs that make steps x steps outputs each.
struct ConvStepped {
  static constexpr int kMost = 3;  // steps
  int64_t rows, n, channels;
  int64_t in_channel, in_row, out_row;
};

// Windows of planes that are read where they are, at steps up to kSteps along x: rows begin … end of so many
// columns. Of each vector of columns and tap of x, which of the inputs from its first one on are in the row;
// after those of all taps, what they have in common.
struct ConvDirect {
  static constexpr int kSteps = 3;
  int64_t channels, in_channel, in_row, in_rows, y_step;
  int64_t taps_y, taps_x;
  const int32_t *offset_y, *offset_x;
  const uint64_t* inside;
  int64_t begin, end, columns;
  int64_t out_channel;
};

// Sums over the taps of one channel, of many channels at a time.
struct ConvDeepLast {
  static constexpr int kMostNeighbours = 7, kSteps = 2;  // taps in a row; and from a pixel to the next one
  int64_t rows, pixels, channels;
  int64_t in_row, in_pixel, out_row, out_pixel;
  int64_t taps;
  const int64_t *offset, *order;  // of a tap in the inputs, and of its weights
};

// Windows of 3 x 3 at step 1, of many channels at a time, on a plane with padding around it: output (r, i)
// reads inputs (top + r, left + i) and on; whether outputs are asked for, which come from far.
struct ConvDeepPlane {
  int64_t rows, pixels, channels;
  int64_t in_rows, in_pixels, top, left;
  int64_t in_row, in_pixel, out_row, out_pixel, weight;  // from one to the next
  bool asks;
};

// How weights are packed: to[(b·taps + t·some + c − b)·row + i] = w[c·in + from[t·columns + i]] for the
// `some` channels c of each block that begins at b.
struct ConvPacking {
  int64_t columns, row, taps, channels, block, in;
  const int64_t* from;
  int64_t column;  // if not 0: columns are that far apart, and each is `channels` kernels of `in` elements
};

// Products of rows of weights and rows of inputs, each at least a vector.
struct ConvDots {
  int64_t rows, row;      // of the weights, and from one to the next
  int64_t pixels, pixel;  // the same of the inputs
  int64_t begin, end;     // elements that are summed
  int64_t out_row;
  const int64_t* place;  // by pixel
};

// Products of pixels and rows of weights, each row `columns` neighbours (at least a vector).
struct ConvColumns {
  int64_t pixels, pixel, channels, channel;  // of the inputs
  int64_t columns, row;                      // of the weights
  int64_t out_row;
};

// Products that meet in a row of n outputs, every `slots`-th of which is a slot: of each of some rows of
// products, those of the taps of the slot, where they are of inputs 0 … width.
struct ConvMeet {
  static constexpr int kMost = 4;  // slots
  struct Tap {
    int64_t at, shift;
  };
  int64_t n, width, rows;
  int64_t low, high;         // shifts, or 0
  const int64_t* row;        // where it begins
  int64_t first[kMost + 1];  // of the taps of a slot
  const Tap* tap;
};

// Small groups of `members` inputs each, in vectors of outputs: where the outputs and inputs of a vector
// begin, how many there are, and for each output which of those inputs is the first of its group. `alike`:
// all outputs are of one group, whose first input is where the inputs begin.
struct ConvGroups {
  struct Vector {
    int64_t out, in, outputs, inputs;
    bool alike;
    int32_t at[16];
  };
  int64_t members, vectors, each;  // weights of a vector
  const Vector* vector;
};

// out[i·out_pixel + o + l] = bias[v·lanes + l] + Σ_t Σ_s w[v·each + order[t] + s·lanes + l] · in[i·in_pixel +
// offset[t] + c + at[l] + s] for the outputs l of vector v, which begin at o, and its inputs at c, row by
// row. Reads whole vectors of weights.
typedef void (*ConvGroupsLast)(float* out, const float* in, const ConvDeepLast* d, const ConvGroups* g,
                               const float* w, const float* bias);

template <class T>
struct ConvLeaves {
  static constexpr int kMost = 14, kNarrow = 8, kSmallGroups = 3;
  int lanes;   // of a vector of T
  int most;    // columns of the largest tile, at most kMost
  int few;     // columns of the largest tile of four vectors
  int fewest;  // the same of eight
  int narrow;  // positions of the largest narrow tile, at most kNarrow

  // c[place[j] + p] = bias[j] + Σ b[(weight + i)·cols + j] · v[from + i·channel + p] over all pieces and i <
  // n, for p < vectors·lanes and each of `count` tiles; without bias it adds to what is in c. Where there is
  // a list, v[list + p] of its next entry is read. By the logarithm of the vectors (1, 2 and, of few columns,
  // 4 or 8) and columns.
  void (*tile[4][kMost + 1])(T* c, const int32_t* place, const T* b, const T* v, const ConvTiles* sum,
                             const T* bias);
  // The same of one piece and two vectors, while it makes some of the copies: at most one for two channels of
  // each tile.
  void (*moving_tile[kMost + 1])(T* c, const int32_t* place, const T* b, const T* v, const ConvTiles* sum,
                                 const T* bias, ConvMove<T>* move);
  // The copies that are left.
  void (*move)(ConvMove<T>* move);
  // The same of few positions, by their number, without a list: vectors hold columns. Reads up to 15 weights
  // more.
  void (*narrow_tile[kNarrow + 1])(T* c, const int32_t* place, const T* b, int64_t columns, const T* v,
                                   const ConvTiles* sum, const T* bias);
  // to[s.to + (first + c)·s.step + i] = from[c·channel + s.from + i] for every c < channels and copy s, in
  // this order, and i < s.n, and whatever for up to lanes − 1 more i. Reads nothing at or after end.
  void (*pack)(T* to, const T* from, int64_t first, int64_t channels, int64_t channel, const ConvCopy* list,
               int64_t count, const T* end);
  // c[j·pixel + p] = bias[p] + Σ_t Σ_i b[offset[t] + j·row + i] · v[order[t] + i·2·lanes + p] for j < the
  // number of rows, p < vectors·lanes and each of `count` tiles (v_step apart in b); by vectors − 1 and rows.
  // Of two vectors, the second one is that of columns p − lanes + second of c. Three are the first one of a
  // block and the two of the next one, whose weights are `next` further on.
  void (*rows[3][kMost + 1])(T* c, int64_t pixel, const T* b, int64_t row, const T* v, const ConvSum* sum,
                             const T* bias);
  int row_tile[3];  // rows of the largest one, or 0
  // The same of one vector and taps that slide, by rows: an input is read once for all of them.
  void (*slide[kMost + 1])(T* c, int64_t pixel, const T* b, int64_t row, const T* v, const ConvSum* sum,
                           const T* bias);
  int slide_rows;  // of the largest one
  // The same of two vectors and n >= wide_rows rows, and of `count` blocks of columns next to one another
  // (and `single` vectors after those), whose weights are v_step apart: all columns of a few rows before the
  // next ones.
  void (*wide)(T* c, int64_t pixel, const T* b, int64_t row, int64_t n, const T* v, const ConvSum* sum,
               const T* bias);
  int wide_rows;
  // Whether rows take all blocks of columns of a few pixels, too, where the weights of one do not stay in the
  // first-level cache.
  bool blocks_first;
  // Whether rows, those that slide and deep_last store some columns of a vector alone.
  bool stores_some;

  // out[j·out_channel + oy·columns + ox] = bias[j] + Σ w[k·cols + j] · in[c·in_channel + (oy·y_step +
  // offset_y)·in_row + ox·step + offset_x] of what is inside, with the weights of a tile of `cols` columns;
  // by step − 1 and columns.
  void (*direct[ConvDirect::kSteps][kMost + 1])(T* out, const T* in, const ConvDirect* d, const T* w,
                                                const T* bias);

  // out[r·out_row + i·slots + s] = bias[s] + Σ_t weight[s][t] · in[r·in_row + offset[s][t] + i], by slots − 1
  // and taps of each (any, 4, 9); null where there is none (two slots of any number). Reads up to lanes − 1
  // more.
  void (*deep[2][3])(T* out, const T* in, const ConvDeep* d, const T* const* weight, const T* bias);
  // out[(2r + fy)·out_row + 2i + fx] = bias[f] + Σ_t weight[f][t] · in[(r + fy + ty)·in_row + i + fx + tx] of
  // f = 2fy + fx, t = 2ty + tx, and n >= lanes; null where that is no gain.
  void (*deep_double)(T* out, const T* in, const ConvDeep* d, const T* const* weight, const T* bias);
  // out[o·out_channel + (2r + fy)·out_row + 2i + fx] = bias[o] + Σ_c Σ_t w · in[c·in_channel + (r + fy +
  // ty)·in_row + i + fx + tx] with the weights w of phase f = 2fy + fx in the order of a tile of four taps,
  // and n >= lanes; by output channels, null where that is no gain.
  void (*doubled[ConvDouble::kMost + 1])(T* out, const T* in, const ConvDouble* d, const T* const* weight,
                                         const T* bias);
  // out[(S·r + fy)·out_row + S·i + fx] = bias + Σ_c w[c·S·S + S·fy + fx] · in[c·in_channel + r·in_row + i]
  // with n >= lanes; by the step S.
  void (*stepped[ConvStepped::kMost + 1])(T* out, const T* in, const ConvStepped* d, const T* w, T bias);
  // out[r·out_row + i·out_pixel + c] = bias[c] + Σ_t weight[order[t] + c] · in[r·in_row + i·in_pixel +
  // offset[t] + c]; and where taps come in rows of so many, each 1 / step of a pixel after the one before: by
  // step - 1 and taps of a row, null where those share nothing.
  void (*deep_last)(T* out, const T* in, const ConvDeepLast* d, const T* weight, const T* bias);
  void (*deep_neighbours[ConvDeepLast::kSteps][ConvDeepLast::kMostNeighbours + 1])(T* out, const T* in,
                                                                                   const ConvDeepLast* d,
                                                                                   const T* weight,
                                                                                   const T* bias);

  // Of groups of 2, 4 and 8 channels that become as many, where those are not a vector; null elsewhere. And
  // of any groups, null where that is no gain.
  ConvGroupsLast groups_last[kSmallGroups], groups_any;

  // out[r·out_row + i·out_pixel + c] = bias[c] + Σ_t weight[t·weight + c] · in[y·in_row + x·in_pixel + c] of
  // t = 3·ty + tx, y = top + r + ty and x = left + i + tx, where those are inside, and at least a vector of
  // channels; null where that is no gain.
  void (*deep_plane)(T* out, const T* in, const ConvDeepPlane* d, const T* weight, const T* bias);

  // to[j·to_row + i] = from[i·from_row + j] for i < rows and j < columns.
  void (*transpose)(T* to, int64_t to_row, const T* from, int64_t from_row, int64_t rows, int64_t columns);
  void (*weights)(T* to, const T* w, const ConvPacking* p);
  // out[r·out_row + place[p]] = bias[r] + Σ w[r·row + e] · x[p·pixel + e] for begin <= e < end; it adds to
  // what is in out where begin is not 0. Weights may be without bias.
  void (*dots)(T* out, const T* w, const T* x, const ConvDots* d, const T* bias);
  // out[p·out_row + i] = Σ w[c·row + i] · x[p·pixel + c·channel].
  void (*columns)(T* out, const T* w, const T* x, const ConvColumns* d);
  // out[i·slots + s] = bias + Σ_r Σ_t c[row[r] + at[t] + i] for 0 <= i + shift[t] < width; by slots. Reads
  // whole vectors, also of what is left out.
  void (*meet[ConvMeet::kMost + 1])(float* out, const float* c, const ConvMeet* d, float bias);
  bool (*finite)(const T* x, int64_t n);

  // For every run r and channel c: to[r.to + c·width + i] = from[c·channel + r.from + i·step] for r.lead <= i
  // < r.stop, and 0 for the other i < n; by element type. Channels are side by side (1 apart), or the step is
  // 1.
  void (*gather[TYPE_COUNT])(T* to, int64_t width, const void* from, int64_t channels, int64_t channel,
                             int64_t step, const ConvRun* runs, int64_t count, int64_t n);
  // The same of channels that are apart, by vectors. Reads nothing at or after end; the second one writes
  // whatever for up to lanes − 1 more i of each run, one after the other.
  void (*gather_planes[2][TYPE_COUNT])(T* to, int64_t width, const void* from, int64_t channels,
                                       int64_t channel, int64_t step, const ConvRun* runs, int64_t count,
                                       int64_t n, const void* end);
  // out[l.to + i] = c[i % slots · width + l.at + i / slots] for every line l and i < l.n, rounded to the
  // element type. Reads up to lanes − 1 more sums.
  void (*lines[TYPE_COUNT])(void* out, const T* c, int64_t width, int64_t slots, const ConvLine* list,
                            int64_t count);
  // The same of one line that is at the start of both.
  void (*interleave[TYPE_COUNT])(void* out, const T* c, int64_t width, int64_t slots, int64_t n);
  // out[p·step + i] = c[p·width + i] for p < pixels and i < n
  void (*spread[TYPE_COUNT])(void* out, int64_t step, const T* c, int64_t width, int64_t n, int64_t pixels);
  // out[i·step] = c[i]
  void (*scatter[TYPE_COUNT])(void* out, int64_t step, const T* c, int64_t n);
};

}  // namespace upsampling
