import Posix
import TrackLog

/// Reads one log from its beginning, a piece at a time: hours of pictures are larger than memory.
final class LogCursor {
    private let path: String
    private var offset = 0
    private var reader = LogReader()
    private var isEnded = false
    /// Bytes that are no record.
    private(set) var damaged = 0

    private static let piece = 1 << 17

    init(_ path: String) { self.path = path }

    /// The next record; nil at the end.
    func next() throws(SystemError) -> LogRecord? {
        while true {
            while let item = reader.next() {
                switch item {
                case .record(let record): return record
                case .damage(let bytes): damaged += bytes
                }
            }
            guard !isEnded else { return nil }
            let bytes = try FileTree.read(path, offset..<offset + Self.piece)
            offset += bytes.count
            reader.feed(bytes)
            if bytes.count < Self.piece {
                isEnded = true
                reader.end()
            }
        }
    }
}
