/// Dates as HTTP writes them: IMF-fixdate (RFC 9110 section 5.6.7). The two obsolete forms are not read: a conditional
/// field that holds one counts as absent.
package enum HTTPDate {
    private static let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// `Sun, 06 Nov 1994 08:49:37 GMT`
    /// - Parameter unixSeconds: from year 0 to 9999.
    package static func format(_ unixSeconds: Int64) -> String {
        let day = Int((unixSeconds >= 0 ? unixSeconds : unixSeconds - 86_399) / 86_400)
        let second = Int(unixSeconds) - day * 86_400
        let date = civil(day)
        let weekday = days[((day + 4) % 7 + 7) % 7]
        let clock = "\(two(second / 3600)):\(two(second / 60 % 60)):\(two(second % 60))"
        return "\(weekday), \(two(date.day)) \(months[date.month - 1]) \(two(date.year / 100))\(two(date.year % 100)) \(clock) GMT"
    }

    /// Unix seconds; nil for anything but a valid IMF-fixdate. The weekday must be one, and is not compared.
    package static func parse(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        guard bytes.count == 29, days.contains(string(bytes[0..<3])), string(bytes[3..<5]) == ", ", string(bytes[25..<29]) == " GMT",
            [7, 11, 16].allSatisfy({ bytes[$0] == Grammar.space }), bytes[19] == UInt8(ascii: ":"), bytes[22] == UInt8(ascii: ":")
        else { return nil }
        guard let month = months.firstIndex(of: string(bytes[8..<11])), let day = Grammar.decimal(bytes[5..<7]),
            let year = Grammar.decimal(bytes[12..<16]), let hour = Grammar.decimal(bytes[17..<19]),
            let minute = Grammar.decimal(bytes[20..<22]), let second = Grammar.decimal(bytes[23..<25])
        else { return nil }
        let number = dayNumber(year: year, month: month + 1, day: day)
        // 60 is a leap second, which Unix time does not count.
        guard hour < 24, minute < 60, second <= 60, civil(number) == (year, month + 1, day) else { return nil }
        return Int64(number) * 86_400 + Int64(hour * 3600 + minute * 60 + min(second, 59))
    }

    /// Days since 1970-01-01 in the Gregorian calendar, counted in eras of 400 years that begin in March.
    private static func dayNumber(year: Int, month: Int, day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func civil(_ number: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = number + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let position = (5 * dayOfYear + 2) / 153
        let month = position < 10 ? position + 3 : position - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * position + 2) / 5 + 1)
    }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    private static func string(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
}
