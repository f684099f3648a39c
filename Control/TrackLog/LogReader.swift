import BondWire

/// Reads a log piece by piece, whatever became of it: what is damaged is passed over and told, and what is behind it is read.
///
/// A record that is damaged within costs itself alone. Where a head is not to be believed the next one is looked for byte by byte.
package struct LogReader: Sendable {
    package enum Item: Hashable, Sendable {
        case record(LogRecord)
        /// So many bytes are no record.
        case damage(bytes: Int)
    }

    private var bytes: [UInt8] = []
    private var position = 0
    private var damaged = 0
    private var isEnded = false
    private var held: LogRecord?

    package init() {}

    /// More of the file.
    package mutating func feed(_ more: some Collection<UInt8>) {
        if position > 0 {
            bytes.removeSubrange(..<position)
            position = 0
        }
        bytes += more
    }

    /// The file has no more.
    package mutating func end() { isEnded = true }

    /// The next item; nil where more of the file is needed, and at its end. What a killed writer has left at the end is the last item, as
    /// damage.
    package mutating func next() -> Item? {
        if let record = held {
            held = nil
            return .record(record)
        }
        while let step = look() {
            switch step {
            case .pass(let count):
                position += count
                damaged += count
            case .record(let record, let count):
                position += count
                guard let passed = takeDamage() else { return .record(record) }
                held = record
                return passed
            }
        }
        return isEnded ? takeDamage() : nil
    }

    private mutating func takeDamage() -> Item? {
        guard damaged > 0 else { return nil }
        defer { damaged = 0 }
        return .damage(bytes: damaged)
    }

    private enum Step {
        case pass(Int)
        case record(LogRecord, Int)
    }

    /// What lies at the position; nil where that is not known yet, or where nothing does.
    private func look() -> Step? {
        let left = bytes.count - position
        guard left > 0 else { return nil }
        guard bytes[position] == LogLayout.mark.0, left < 2 || bytes[position + 1] == LogLayout.mark.1 else { return .pass(1) }
        guard left >= LogLayout.headBytes else { return isEnded ? .pass(left) : nil }
        let body = Int(bytes[position + 4]) << 8 | Int(bytes[position + 5])
        guard let kind = LogLayout.Kind(rawValue: bytes[position + 2]), body <= LogLayout.bodyBytes else { return .pass(1) }
        let whole = LogLayout.headBytes + body
        // With the mark of the next one, by which a record that is damaged is known.
        guard left >= whole + 2 || isEnded else { return nil }
        guard left >= whole else { return .pass(1) }
        guard isSound(whole), let record = record(kind, whole) else { return .pass(isFollowed(whole) ? whole : 1) }
        return .record(record, whole)
    }

    private func isSound(_ whole: Int) -> Bool {
        let start = position
        var told: UInt32 = 0
        for place in 12..<16 { told = told << 8 | UInt32(bytes[start + place]) }
        return told == LogChecksum.value(bytes, start..<start + 12, start + LogLayout.headBytes..<start + whole)
    }

    /// Whether another record, or the end, lies where this one would end.
    private func isFollowed(_ whole: Int) -> Bool {
        let next = position + whole
        if next == bytes.count { return true }
        return next + 2 <= bytes.count && bytes[next] == LogLayout.mark.0 && bytes[next + 1] == LogLayout.mark.1
    }

    private func record(_ kind: LogLayout.Kind, _ whole: Int) -> LogRecord? {
        var at: UInt64 = 0
        for place in 6..<12 { at = at << 8 | UInt64(bytes[position + place]) }
        let body = bytes[position + LogLayout.headBytes..<position + whole]
        return LogLayout.record(kind, bytes[position + 3], body, at: Microseconds(at))
    }
}
