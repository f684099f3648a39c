import CGStreamer
import Posix

/// Calls back once, on the thread that GStreamer keeps for its system clock.
package final class MonotonicTimer: Sendable {
    /// Sendable: clock ids are thread safe. Owned; released in deinit.
    nonisolated(unsafe) private let id: GstClockID

    /// - Parameter fire: short; it runs on the one timer thread of the process. Released after it ran or was cancelled.
    package init(after delay: Duration, _ fire: @escaping @Sendable () -> Void) {
        let parts = delay.components
        let nanoseconds = max(0, parts.seconds * 1_000_000_000 + parts.attoseconds / 1_000_000_000)
        let time = gst_clock_get_time(GStreamerRuntime.clock) + GstClockTime(nanoseconds)
        guard let id = gst_clock_new_single_shot_id(GStreamerRuntime.clock, time) else {
            preconditionFailure("a clock id of a valid time is never NULL")
        }
        self.id = id
        let context = Unmanaged.passRetained(Callback(fire)).toOpaque()
        Handover.give()
        gst_clock_id_wait_async(id, timerFired, context, releaseTimer)
    }

    /// It stays in the clock's list until it fires, also where nobody holds it.
    package static func once(after delay: Duration, _ fire: @escaping @Sendable () -> Void) {
        _ = MonotonicTimer(after: delay, fire)
    }

    deinit { gst_clock_id_unref(id) }

    /// It does not fire any more, unless it is firing right now.
    package func cancel() { gst_clock_id_unschedule(id) }

    fileprivate final class Callback: Sendable {
        let fire: @Sendable () -> Void
        init(_ fire: @escaping @Sendable () -> Void) { self.fire = fire }
    }
}

private func timerFired(
    _ clock: UnsafeMutablePointer<GstClock>?, _ time: GstClockTime, _ id: GstClockID?, _ context: gpointer?
) -> gboolean {
    Handover.take()
    if let context, time != strata_no_time() {
        Unmanaged<MonotonicTimer.Callback>.fromOpaque(context).takeUnretainedValue().fire()
    }
    return 1
}

private func releaseTimer(_ context: gpointer?) {
    if let context { Unmanaged<MonotonicTimer.Callback>.fromOpaque(context).release() }
}
