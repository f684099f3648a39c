import CGStreamer
import Posix

/// A pipeline's own thread: reads its bus, and makes the state changes, which may block for as long as a device or a
/// server likes. No media passes it. It holds the pipeline; when it ends, the pipeline is gone.
final class Keeper: Sendable {
    typealias Command = @Sendable (UnsafeMutablePointer<GstElement>) -> Void

    /// Sendable: GstElement's reference count and state are thread safe; freed when the thread ends, after which
    /// `commands.closed` keeps everybody away.
    nonisolated(unsafe) private let pipeline: UnsafeMutablePointer<GstElement>
    nonisolated(unsafe) private let bus: UnsafeMutablePointer<GstBus>
    private let commands = Guarded(Commands())
    private let deliver: @Sendable (PipelineMessage) -> Void
    private let finish: @Sendable () -> Void

    private struct Commands {
        var waiting: [Command] = []
        var closed = false
    }

    /// - Parameters:
    ///   - pipeline: taken over: the keeper drops the caller's reference when it ends.
    ///   - deliver: called on this thread.
    ///   - finish: called on this thread after the pipeline is gone.
    init(
        _ pipeline: UnsafeMutablePointer<GstElement>, bus: UnsafeMutablePointer<GstBus>,
        deliver: @escaping @Sendable (PipelineMessage) -> Void, finish: @escaping @Sendable () -> Void
    ) {
        self.pipeline = pipeline
        self.bus = bus
        self.deliver = deliver
        self.finish = finish
        gst_bus_set_sync_handler(bus, keepWantedMessages, pipeline, nil)
    }

    /// Begins to read the bus. Throws where no thread can be made; the pipeline is freed then.
    func start() throws(GStreamerError) {
        let context = Unmanaged.passRetained(self)
        var error: UnsafeMutablePointer<GError>?
        guard let thread = g_thread_try_new("gst-keeper", runKeeper, context.toOpaque(), &error) else {
            context.release()
            free()
            throw GStreamerError(function: "g_thread_try_new", adopting: error)
        }
        // Nobody joins it: `finish` says when it is over.
        g_thread_unref(thread)
    }

    /// Runs `command` on the keeper's thread, in order. Returns whether it will run: not after `close`.
    @discardableResult
    func run(_ command: @escaping Command) -> Bool {
        let accepted = commands.withLock { commands in
            if commands.closed { return false }
            commands.waiting.append(command)
            // Inside the lock, so that the bus cannot be freed in between.
            gst_bus_post(bus, strata_wake_message(pipeline))
            return true
        }
        return accepted
    }

    /// The last command: to the null state, then the thread ends. Further calls do nothing.
    func close() {
        run { [self] pipeline in
            gst_element_set_state(pipeline, GST_STATE_NULL)
            commands.withLock { $0.closed = true }
        }
    }

    fileprivate func loop() {
        while !commands.withLock({ $0.closed }) {
            guard let message = gst_bus_timed_pop(bus, strata_no_time()) else { continue }
            handle(message)
            strata_message_unref(message)
        }
        // What was asked after the last command still gets its answer, on a pipeline in the null state.
        runCommands()
        free()
        finish()
    }

    private func handle(_ message: UnsafeMutablePointer<GstMessage>) {
        switch strata_message_type(message) {
        case GST_MESSAGE_APPLICATION: runCommands()
        // The application's part of a change of latency; the library leaves it to us.
        case GST_MESSAGE_LATENCY: gst_bin_recalculate_latency(strata_bin(pipeline))
        default: if let message = PipelineMessage(message, of: pipeline) { deliver(message) }
        }
    }

    private func runCommands() {
        let waiting = commands.withLock { commands in
            defer { commands.waiting = [] }
            return commands.waiting
        }
        for command in waiting { command(pipeline) }
    }

    private func free() {
        commands.withLock { $0.closed = true }
        gst_element_set_state(pipeline, GST_STATE_NULL)
        // A message holds its element, and the pipeline its bus: what nobody has read would keep all of them.
        gst_bus_set_flushing(bus, 1)
        gst_bus_set_sync_handler(bus, nil, nil, nil)
        gst_object_unref(bus)
        gst_object_unref(pipeline)
    }
}

private func runKeeper(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    if let context { Unmanaged<Keeper>.fromOpaque(context).takeRetainedValue().loop() }
    return nil
}

/// On the posting thread: what nobody reads is dropped at once, so that it wakes nobody.
private func keepWantedMessages(
    _ bus: UnsafeMutablePointer<GstBus>?, _ message: UnsafeMutablePointer<GstMessage>?, _ context: gpointer?
) -> GstBusSyncReply {
    guard let message, let pipeline = strata_element(context) else { return GST_BUS_PASS }
    if PipelineMessage.isWanted(message, of: pipeline) { return GST_BUS_PASS }
    strata_message_unref(message)
    return GST_BUS_DROP
}
