import CSystemd
import Glibc
import Posix

/// The connection itself: sd-bus, driven by a loop. All of it on the loop's thread.
final class Conversation: @unchecked Sendable {
    // Sendable: but for the constants, all is touched on the loop's thread only.
    let loop: Loop
    private let address: String
    private var ended: (@Sendable (BusError) -> Void)?
    private var bus: OpaquePointer?
    private var watch: Watch?
    private var watched: CInt = -1
    private var timer: LoopTimer?
    private var isInTurn = false
    private var pending: [ObjectIdentifier: PendingCall] = [:]
    private var subscriptions: [Subscription] = []

    /// Messages that are taken before others on the loop have their turn.
    private static let batch = 64

    /// One match; sd-bus has a pointer to it until its slot is gone.
    private final class Subscription {
        let heard: @Sendable (BusSignal) -> Void
        var slot: OpaquePointer?
        init(_ heard: @escaping @Sendable (BusSignal) -> Void) { self.heard = heard }
    }

    init(address: String, loop: Loop, ended: @escaping @Sendable (BusError) -> Void) {
        self.address = address
        self.loop = loop
        self.ended = ended
    }

    // MARK: Begin and end

    func begin() {
        guard ended != nil else { return }
        do throws(BusError) {
            bus = try open()
            settle()
        } catch {
            end(error)
        }
    }

    private func open() throws(BusError) -> OpaquePointer {
        guard address.hasPrefix("unix:"), !address.contains(";") else { throw .system(function: "sd_bus_set_address", code: Int(EINVAL)) }
        var made: OpaquePointer?
        try check(sd_bus_new(&made), "sd_bus_new")
        guard let made else { throw .system(function: "sd_bus_new", code: Int(ENOMEM)) }
        do throws(BusError) {
            try check(sd_bus_set_address(made, address), "sd_bus_set_address")
            try check(sd_bus_set_bus_client(made, 1), "sd_bus_set_bus_client")
            // Nobody shall put descriptors into this process.
            try check(sd_bus_negotiate_fds(made, 0), "sd_bus_negotiate_fds")
            // Connects without waiting; the hello is queued.
            try check(sd_bus_start(made), "sd_bus_start")
        } catch {
            sd_bus_close_unref(made)
            throw error
        }
        return made
    }

    func close() {
        ended = nil
        end(.ended)
    }

    private func end(_ error: BusError) {
        // Before sd-bus closes the descriptor: the loop must not watch another one's by its number.
        watch?.cancel()
        timer?.cancel()
        (watch, timer, watched) = (nil, nil, -1)
        for subscription in subscriptions { sd_bus_slot_unref(subscription.slot) }
        subscriptions = []
        let left = pending.values
        pending = [:]
        for call in left {
            sd_bus_slot_unref(call.slot)
            call.slot = nil
        }
        // Does not flush, which would wait. Inside `sd_bus_process` that function holds a reference of its own.
        if let bus { sd_bus_close_unref(bus) }
        bus = nil
        let tell = ended
        ended = nil
        for call in left { call.finish(.failure(.ended)) }
        tell?(error)
    }

    // MARK: Questions and subscriptions

    func begin(_ call: PendingCall, _ question: MethodCall, _ timeout: Duration) {
        guard !call.isOver else { return }
        guard let bus else { return call.finish(.failure(.ended)) }
        do throws(BusError) {
            let message = try write(question, bus)
            defer { sd_bus_message_unref(message) }
            let limit = UInt64(clamping: timeout / .microseconds(1) < 1 ? 1 : Int64(timeout / .microseconds(1)))
            // Not retained: `pending` holds it for as long as the slot is.
            let code = sd_bus_call_async(bus, &call.slot, message, answered, Unmanaged.passUnretained(call).toOpaque(), limit)
            try check(code, "sd_bus_call_async")
            pending[ObjectIdentifier(call)] = call
        } catch {
            return call.finish(.failure(error))
        }
        settle()
    }

    private func write(_ question: MethodCall, _ bus: OpaquePointer) throws(BusError) -> OpaquePointer {
        var made: OpaquePointer?
        let code = sd_bus_message_new_method_call(
            bus, &made, question.service, question.path, question.interface, question.member)
        try check(code, "sd_bus_message_new_method_call")
        guard let made else { throw .system(function: "sd_bus_message_new_method_call", code: Int(ENOMEM)) }
        do throws(BusError) {
            let writer = MessageWriter(message: made)
            for argument in question.arguments { try writer.append(argument) }
        } catch {
            sd_bus_message_unref(made)
            throw error
        }
        return made
    }

    func withdraw(_ call: PendingCall) {
        if pending.removeValue(forKey: ObjectIdentifier(call)) != nil {
            // No reply is given to it after this.
            sd_bus_slot_unref(call.slot)
            call.slot = nil
        }
        call.finish(.failure(.cancelled))
    }

    fileprivate func take(_ message: OpaquePointer?, for call: PendingCall) {
        guard pending.removeValue(forKey: ObjectIdentifier(call)) != nil else { return }
        sd_bus_slot_unref(call.slot)
        call.slot = nil
        guard let message else { return call.finish(.failure(.ended)) }
        call.finish(Self.result(message))
    }

    private static func result(_ message: OpaquePointer) -> Result<Reply, BusError> {
        guard let error = sd_bus_message_get_error(message) else {
            return Result { () throws(BusError) in
                var reader = MessageReader(message)
                let values = try reader.all()
                return Reply(values: values, isCut: reader.isCut)
            }
        }
        // `NoReply`: of sd-bus itself when the time is over, of the bus when the service has gone.
        if sd_bus_message_get_errno(message) == ETIMEDOUT { return .failure(.unanswered) }
        let name = error.pointee.name.map { String(cString: $0) } ?? ""
        let text = error.pointee.message.map { String(cString: $0) } ?? ""
        return .failure(.remote(name: name, text: text))
    }

    func subscribe(_ rule: MatchRule, _ heard: @escaping @Sendable (BusSignal) -> Void) {
        guard let bus else { return }
        let subscription = Subscription(heard)
        // Without a callback for the answer a refused match ends the connection, and a lost subscription is never taken for silence.
        let code = sd_bus_add_match_async(
            bus, &subscription.slot, rule.rule, signalled, nil, Unmanaged.passUnretained(subscription).toOpaque())
        guard code >= 0 else { return end(.system(function: "sd_bus_add_match_async", code: Int(-code))) }
        subscriptions.append(subscription)
        settle()
    }

    fileprivate static func hear(_ message: OpaquePointer, _ subscription: UnsafeMutableRawPointer) {
        func text(_ start: UnsafePointer<CChar>?) -> String { start.map { String(cString: $0) } ?? "" }
        var reader = MessageReader(message)
        // A signal that is larger than it may be is one that says nothing.
        guard let values = try? reader.all() else { return }
        let signal = BusSignal(
            sender: text(sd_bus_message_get_sender(message)), path: text(sd_bus_message_get_path(message)),
            interface: text(sd_bus_message_get_interface(message)), member: text(sd_bus_message_get_member(message)), values: values)
        Unmanaged<Subscription>.fromOpaque(subscription).takeUnretainedValue().heard(signal)
    }

    // MARK: Turns of the loop

    private func turn() {
        isInTurn = true
        for _ in 0..<Self.batch {
            // A completion may have closed it.
            guard let bus else { break }
            let code = sd_bus_process(bus, nil)
            if code < 0 {
                isInTurn = false
                return end(self.bus == nil || -code == ECONNRESET ? .ended : .system(function: "sd_bus_process", code: Int(-code)))
            }
            if code == 0 { break }
        }
        isInTurn = false
        settle()
    }

    /// Watches for what sd-bus waits for now.
    private func settle() {
        guard let bus, !isInTurn else { return }
        let (descriptor, events) = (sd_bus_get_fd(bus), sd_bus_get_events(bus))
        guard descriptor >= 0, events >= 0 else { return end(.ended) }
        var interest: Interest = []
        if events & CInt(POLLIN) != 0 { interest.insert(.read) }
        if events & CInt(POLLOUT) != 0 { interest.insert(.write) }
        do {
            if watched != descriptor {
                watch?.cancel()
                watch = try loop.watch(descriptor, interest) { [weak self] _ in self?.turn() }
                watched = descriptor
            }
            watch?.interest = interest
        } catch {
            return end(.system(function: "epoll_ctl", code: Int(errno)))
        }
        wait(bus)
    }

    private func wait(_ bus: OpaquePointer) {
        timer?.cancel()
        timer = nil
        var deadline: UInt64 = 0
        // UINT64_MAX: nothing but the descriptor is waited for.
        guard sd_bus_get_timeout(bus, &deadline) >= 0, deadline != UInt64.max else { return }
        let left = Int64(clamping: deadline) - Instant.now.nanoseconds / 1000
        timer = loop.timer(after: .microseconds(max(0, left))) { [weak self] in self?.turn() }
    }
}

/// sd-bus calls these on the loop's thread, inside `sd_bus_process`.
private let answered: sd_bus_message_handler_t = { message, context, _ in
    guard let context else { return 0 }
    let call = Unmanaged<PendingCall>.fromOpaque(context).takeUnretainedValue()
    call.owner.take(message, for: call)
    return 0
}

private let signalled: sd_bus_message_handler_t = { message, context, _ in
    guard let message, let context else { return 0 }
    Conversation.hear(message, context)
    return 0
}
