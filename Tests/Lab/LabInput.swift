import CLab
import Glibc
import Posix

/// Lines of stdin, until it ends or SIGINT, SIGTERM or SIGHUP comes: then everything is taken down as at its end.
struct LabInput {
    enum Event: Hashable {
        case line(String)
        /// The descriptor that was waited for beside the lines.
        case readable
        case timeout
        case end
    }

    private let signals: CInt
    private var bytes: [UInt8] = []

    /// Before any other thread starts, so that all of them block the signals.
    init() {
        signals = clab_stop_signals()
    }

    mutating func nextLine() -> String? {
        if case .line(let line) = next() { line } else { nil }
    }

    /// One `read` takes one byte: a person or a script writes lines one by one.
    /// - Parameter limit: until when, nil without limit.
    mutating func next(beside descriptor: CInt? = nil, until limit: Int64? = nil) -> Event {
        while true {
            var waiting = [clab_ready(descriptor: signals, readable: 0), clab_ready(descriptor: 0, readable: 0)]
            if let descriptor { waiting.append(clab_ready(descriptor: descriptor, readable: 0)) }
            let left = limit.map { max(0, $0 - Instant.now.nanoseconds) } ?? -1
            let ready = clab_wait(&waiting, CInt(waiting.count), left)
            if ready < 0 && errno != EINTR || waiting[0].readable != 0 { return .end }
            if waiting.count > 2, waiting[2].readable != 0 { return .readable }
            if waiting[1].readable != 0 {
                var byte: UInt8 = 0
                guard read(0, &byte, 1) == 1 else { return .end }
                if byte == UInt8(ascii: "\n") {
                    defer { bytes = [] }
                    return .line(String(decoding: bytes, as: UTF8.self))
                }
                bytes.append(byte)
            }
            if let limit, Instant.now.nanoseconds >= limit { return .timeout }
        }
    }
}
