#pragma once

namespace weir {

/// Something that one process may own at a time: a queue's file, a checkpoint, the watching of the settings. At a hot
/// restart (RULINGS 17) the old process lets go of it before the new one takes it.
/// Thread: the control plane's. Lifetime: outlives the app's run.
class Handover {
 public:
  virtual ~Handover() = default;
  /// It is ours now: at once in a process that has no predecessor, else when that one has let go or died.
  virtual void take_over() = 0;
  /// The next process is ready and will own it when this returns; calls that are under way here still end here.
  virtual void give_up() = 0;
};

}  // namespace weir
