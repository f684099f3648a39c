import CWslay

/// What a frame's first two bytes say (RFC 6455 section 5.2).
struct FrameHead: Hashable, Sendable {
    var isFinal: Bool
    /// RSV1 is bit 2, RSV3 bit 0.
    var reserved: UInt8
    var opcode: Opcode
    var isMasked: Bool
    var length: UInt64
}

/// The four bits that tell frames apart; 3 to 7 and 11 to 15 mean nothing yet.
struct Opcode: Hashable, Sendable {
    let rawValue: UInt8
    static let continuation = Opcode(rawValue: 0)
    static let text = Opcode(rawValue: 1)
    static let binary = Opcode(rawValue: 2)
    static let close = Opcode(rawValue: 8)
    static let ping = Opcode(rawValue: 9)
    static let pong = Opcode(rawValue: 10)

    var isControl: Bool { rawValue & 8 != 0 }
    var isKnown: Bool { rawValue <= 2 || (8...10).contains(rawValue) }
}

/// The framing of a lane's WebSockets by libwslay.
///
/// One context writes for all of them, and a connection holds one for reading only while it is within a frame: a context
/// has 4 kB, a fifth of what an idle connection may cost.
final class FrameCodec {
    private let writer = FrameContext()
    private var readers: [FrameReader] = []

    /// Appends a frame to `output`.
    func write(
        _ opcode: Opcode, _ payload: UnsafeRawBufferPointer, isCompressed: Bool, isMasked: Bool, into output: inout [UInt8]
    ) {
        swap(&output, &writer.output)
        defer { swap(&output, &writer.output) }
        var frame = wslay_frame_iocb()
        frame.fin = 1
        frame.rsv = isCompressed ? 4 : 0
        frame.opcode = opcode.rawValue
        frame.mask = isMasked ? 1 : 0
        frame.payload_length = UInt64(payload.count)
        var sent = 0
        repeat {
            frame.data = payload.baseAddress.map { $0.assumingMemoryBound(to: UInt8.self) + sent }
            frame.data_length = payload.count - sent
            let count = wslay_frame_send(writer.raw, &frame)
            precondition(count >= 0, "sending goes to memory and cannot fail: \(count)")
            sent += count
        } while sent < payload.count
    }

    func takeReader() -> FrameReader { readers.popLast() ?? FrameReader() }

    /// Only at the boundary of a frame, where a context holds nothing of its connection.
    func giveBack(_ reader: FrameReader) {
        if readers.count < 8 { readers.append(reader) }
    }
}

/// Takes frames apart as their bytes come.
final class FrameReader {
    private let context = FrameContext()
    /// Bytes that went in and are not yet accounted for by headers and payloads that came out.
    private var unaccounted = 0
    /// Payload bytes of the current frame that are still to come.
    private var remaining: UInt64 = 0
    private var isWithin = false

    /// Nothing of an unfinished frame is held.
    var isAtBoundary: Bool { !isWithin && unaccounted == 0 }

    enum Piece {
        /// The next part of a frame's payload.
        case payload(FrameHead, UnsafeRawBufferPointer, isFirst: Bool, isLast: Bool)
        case needMore
        /// A length that is not written in the shortest way, or a control frame that is long or in pieces.
        case malformed
    }

    func feed(_ bytes: UnsafeRawBufferPointer) {
        context.input = bytes
        unaccounted += bytes.count
    }

    /// Valid until the next call. Call until `needMore`, before the bytes that were fed go away.
    func next() -> Piece {
        var frame = wslay_frame_iocb()
        let count = wslay_frame_recv(context.raw, &frame)
        if count == Int(WSLAY_ERR_WANT_READ.rawValue) { return .needMore }
        guard count >= 0 else { return .malformed }
        let isFirst = !isWithin
        if isFirst {
            remaining = frame.payload_length
            unaccounted -= FrameReader.headBytes(frame)
        }
        unaccounted -= frame.data_length
        remaining -= UInt64(frame.data_length)
        isWithin = remaining > 0
        let head = FrameHead(
            isFinal: frame.fin == 1, reserved: frame.rsv, opcode: Opcode(rawValue: frame.opcode), isMasked: frame.mask == 1,
            length: frame.payload_length)
        let bytes = UnsafeRawBufferPointer(start: frame.data, count: frame.data_length)
        return .payload(head, bytes, isFirst: isFirst, isLast: !isWithin)
    }

    private static func headBytes(_ frame: wslay_frame_iocb) -> Int {
        let length = frame.payload_length
        return 2 + (length < 126 ? 0 : length < 65536 ? 2 : 8) + (frame.mask == 1 ? 4 : 0)
    }
}

/// Owns a `wslay_frame_context`, which calls back with a pointer to this object.
private final class FrameContext {
    private(set) var raw: OpaquePointer
    var output: [UInt8] = []
    var input = UnsafeRawBufferPointer(start: nil, count: 0)
    private var random = SystemRandomNumberGenerator()

    init() {
        var callbacks = wslay_frame_callbacks(
            send_callback: takeOutput, recv_callback: giveInput, genmask_callback: makeMask)
        var made: OpaquePointer?
        // The context needs our address, which exists only once all fields are set: made here, pointed at us below.
        let box = UnsafeMutablePointer<Unmanaged<FrameContext>?>.allocate(capacity: 1)
        box.initialize(to: nil)
        let code = wslay_frame_context_init(&made, &callbacks, box)
        guard code == 0, let made else { preconditionFailure("wslay_frame_context_init fails only without memory: \(code)") }
        raw = made
        self.box = box
        box.pointee = Unmanaged.passUnretained(self)
    }

    private let box: UnsafeMutablePointer<Unmanaged<FrameContext>?>

    deinit {
        wslay_frame_context_free(raw)
        box.deallocate()
    }

    func mask(_ buffer: UnsafeMutableRawBufferPointer) {
        for index in buffer.indices { buffer[index] = UInt8.random(in: 0...255, using: &random) }
    }
}

private func owner(_ pointer: UnsafeMutableRawPointer?) -> FrameContext? {
    pointer?.assumingMemoryBound(to: Unmanaged<FrameContext>?.self).pointee?.takeUnretainedValue()
}

private func takeOutput(_ data: UnsafePointer<UInt8>?, _ count: Int, _ flags: CInt, _ user: UnsafeMutableRawPointer?) -> Int {
    guard let context = owner(user) else { return -1 }
    context.output.append(contentsOf: UnsafeBufferPointer(start: data, count: count))
    return count
}

private func giveInput(_ buffer: UnsafeMutablePointer<UInt8>?, _ room: Int, _ flags: CInt, _ user: UnsafeMutableRawPointer?) -> Int {
    guard let context = owner(user), let buffer, !context.input.isEmpty else { return -1 }
    let count = min(room, context.input.count)
    UnsafeMutableRawBufferPointer(start: buffer, count: count).copyMemory(from: UnsafeRawBufferPointer(rebasing: context.input[..<count]))
    context.input = UnsafeRawBufferPointer(rebasing: context.input[count...])
    return count
}

private func makeMask(_ buffer: UnsafeMutablePointer<UInt8>?, _ count: Int, _ user: UnsafeMutableRawPointer?) -> CInt {
    guard let context = owner(user), let buffer else { return -1 }
    context.mask(UnsafeMutableRawBufferPointer(start: buffer, count: count))
    return 0
}
