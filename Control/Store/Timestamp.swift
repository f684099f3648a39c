import Posix
package import SQLite

/// A moment by the wall clock, to the millisecond: stored as milliseconds since 1970, shown as ISO 8601 in UTC (STO-09).
package struct Timestamp: Hashable, Comparable, Sendable {
    package let unixMs: Int64

    package init(unixMs: Int64) { self.unixMs = unixMs }

    package static var now: Timestamp { Timestamp(unixMs: unixMilliseconds()) }

    package var unixSeconds: Int64 { unixMs.flooredQuotient(by: 1000) }

    package static func < (left: Timestamp, right: Timestamp) -> Bool { left.unixMs < right.unixMs }

    package static func + (left: Timestamp, right: Duration) -> Timestamp {
        let parts = right.components
        return Timestamp(unixMs: left.unixMs + parts.seconds * 1000 + parts.attoseconds / 1_000_000_000_000_000)
    }

    package static func - (left: Timestamp, right: Duration) -> Timestamp { left + (.zero - right) }
    package static func - (left: Timestamp, right: Timestamp) -> Duration { .milliseconds(left.unixMs - right.unixMs) }

    /// `2026-11-20T23:29:05.120Z`
    package var text: String {
        let (year, month, day) = civil
        let ms = unixMs - unixMs.flooredQuotient(by: 86_400_000) * 86_400_000
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))T\(padded(ms / 3_600_000, 2)):\(padded(ms / 60_000 % 60, 2))"
            + ":\(padded(ms / 1000 % 60, 2)).\(padded(ms % 1000, 3))Z"
    }

    /// Reads exactly the form that `text` writes.
    package init?(text: some StringProtocol) {
        let bytes = Array(text.utf8)
        guard bytes.count == 24 else { return nil }
        func number(_ range: Range<Int>) -> Int64? {
            bytes[range].reduce(0) { sum, byte in
                guard let sum, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
                return sum * 10 + Int64(byte - UInt8(ascii: "0"))
            }
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10), let hour = number(11..<13),
            let minute = number(14..<16), let second = number(17..<19), let ms = number(20..<23), (1...12).contains(month),
            hour < 24, minute < 60, second < 60
        else { return nil }
        let days = Self.days(year: year, month: month, day: day)
        unixMs = (((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + ms
        // What is not written the same way was no date (31 April) or has other separators.
        guard self.text.utf8.elementsEqual(bytes) else { return nil }
    }

    /// Year, month and day. Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days.
    private var civil: (year: Int64, month: Int64, day: Int64) {
        let shifted = unixMs.flooredQuotient(by: 86_400_000) + 719_468
        let era = shifted.flooredQuotient(by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    /// Days since 1970. Source: as above, days_from_civil.
    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = shiftedYear.flooredQuotient(by: 400)
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

extension Timestamp: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let time = Timestamp(text: try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "a time is written as 2026-11-20T23:29:05.120Z")
        }
        self = time
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}

extension Timestamp: CustomStringConvertible {
    package var description: String { text }
}

extension Timestamp: ColumnValue {
    package init?(_ stored: SQLiteValue) {
        guard case .integer(let ms) = stored else { return nil }
        unixMs = ms
    }

    package var stored: SQLiteValue { .integer(unixMs) }
}

extension Int64 {
    fileprivate func flooredQuotient(by divisor: Int64) -> Int64 {
        let (quotient, rest) = quotientAndRemainder(dividingBy: divisor)
        return rest < 0 ? quotient - 1 : quotient
    }
}
