/// The status of a WebSocket's end (RFC 6455 section 7.4).
package struct CloseCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    package let rawValue: Int
    package init(rawValue: Int) { self.rawValue = rawValue }

    package static let normal = CloseCode(rawValue: 1000)
    package static let goingAway = CloseCode(rawValue: 1001)
    package static let protocolError = CloseCode(rawValue: 1002)
    package static let unsupportedData = CloseCode(rawValue: 1003)
    /// The peer gave none; never sent.
    package static let noStatus = CloseCode(rawValue: 1005)
    package static let invalidData = CloseCode(rawValue: 1007)
    package static let policyViolation = CloseCode(rawValue: 1008)
    package static let tooBig = CloseCode(rawValue: 1009)
    package static let internalError = CloseCode(rawValue: 1011)
    package static let serviceRestart = CloseCode(rawValue: 1012)
    package static let tryAgainLater = CloseCode(rawValue: 1013)

    package var description: String { "\(rawValue)" }

    /// Whether it may stand in a close frame (RFC 6455 section 7.4, and the IANA registry).
    var mayBeSent: Bool {
        switch rawValue {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }
}

/// Puts messages together from frames, and refuses what RFC 6455 does. No I/O.
struct MessageAssembler {
    enum Event: Hashable {
        case text(String)
        case binary([UInt8])
        case ping([UInt8])
        case pong([UInt8])
        case close(CloseCode, String)
    }

    /// What the connection fails with.
    struct Violation: Error, Hashable {
        let code: CloseCode
        let reason: String
        init(_ code: CloseCode, _ reason: String) {
            self.code = code
            self.reason = reason
        }
    }

    /// Bytes of a message, after inflating too.
    let limit: Int
    /// Frames from clients are masked, those from servers are not (section 5.1).
    let expectsMask: Bool
    let deflate: Bool
    private var opcode: Opcode?
    private var isCompressed = false
    private var message: [UInt8] = []
    private var control: [UInt8] = []

    init(limit: Int, expectsMask: Bool, deflate: Bool) {
        self.limit = limit
        self.expectsMask = expectsMask
        self.deflate = deflate
    }

    /// Takes the next part of a frame's payload; a whole message or control frame comes back when it is complete.
    mutating func take(
        _ head: FrameHead, _ bytes: UnsafeRawBufferPointer, isFirst: Bool, isLast: Bool,
        inflate: ([UInt8], Int) throws(DeflateCodec.InflateFault) -> [UInt8]
    ) throws(Violation) -> Event? {
        if isFirst { try begin(head) }
        if head.opcode.isControl {
            control.append(contentsOf: bytes)
            guard isLast else { return nil }
            defer { control = [] }
            return try finishControl(head.opcode)
        }
        message.append(contentsOf: bytes)
        guard isLast, head.isFinal else { return nil }
        return try finishMessage(inflate)
    }

    private mutating func begin(_ head: FrameHead) throws(Violation) {
        guard head.opcode.isKnown else { throw Violation(.protocolError, "opcode \(head.opcode.rawValue)") }
        guard head.isMasked == expectsMask else { throw Violation(.protocolError, expectsMask ? "no mask" : "a mask") }
        let mayCompress = deflate && (head.opcode == .text || head.opcode == .binary)
        guard head.reserved == 0 || (head.reserved == 4 && mayCompress) else { throw Violation(.protocolError, "reserved bits") }
        if head.opcode.isControl { return }
        if head.opcode == .continuation {
            guard opcode != nil else { throw Violation(.protocolError, "a continuation of nothing") }
        } else {
            guard opcode == nil else { throw Violation(.protocolError, "a new message within another") }
            opcode = head.opcode
            isCompressed = head.reserved == 4
        }
        guard head.length <= UInt64(limit - message.count) else { throw Violation(.tooBig, "a message of more than \(limit) bytes") }
    }

    private mutating func finishMessage(
        _ inflate: ([UInt8], Int) throws(DeflateCodec.InflateFault) -> [UInt8]
    ) throws(Violation) -> Event {
        var whole = message
        message = []
        if isCompressed {
            do throws(DeflateCodec.InflateFault) { whole = try inflate(whole, limit) } catch {
                switch error {
                case .malformed: throw Violation(.invalidData, "a message that does not inflate")
                case .tooLarge: throw Violation(.tooBig, "a message of more than \(limit) bytes")
                }
            }
        }
        let isText = opcode == .text
        opcode = nil
        guard isText else { return .binary(whole) }
        guard let text = String(validating: whole, as: UTF8.self) else { throw Violation(.invalidData, "text that is not UTF-8") }
        return .text(text)
    }

    private func finishControl(_ opcode: Opcode) throws(Violation) -> Event {
        switch opcode {
        case .ping: return .ping(control)
        case .pong: return .pong(control)
        default: break
        }
        if control.isEmpty { return .close(.noStatus, "") }
        guard control.count >= 2 else { throw Violation(.protocolError, "a close code of one byte") }
        let code = CloseCode(rawValue: Int(control[0]) << 8 | Int(control[1]))
        guard code.mayBeSent else { throw Violation(.protocolError, "close code \(code)") }
        guard let reason = String(validating: control[2...], as: UTF8.self) else {
            throw Violation(.invalidData, "a close reason that is not UTF-8")
        }
        return .close(code, reason)
    }
}
