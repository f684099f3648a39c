import Glibc

/// A month of a data plan: from a day of one month to the day before the same of the next, UTC.
struct BillingCycle: Codable, Hashable, Comparable, Sendable {
    /// Days since 1970 of its first day.
    let start: Int

    /// - Parameter firstDay: 1 to 31; a shorter month's last day stands for those that it lacks.
    init(containing unixSeconds: Int64, firstDay: Int) {
        let today = Int(unixSeconds / 86_400)
        let date = Self.date(today)
        let begun = Self.day(year: date.year, month: date.month, day: firstDay)
        start = begun <= today ? begun : Self.day(year: date.year, month: date.month - 1, day: firstDay)
    }

    /// `2026-11-15`
    var text: String {
        let date = Self.date(start)
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(date.year)-\(two(date.month))-\(two(date.day))"
    }

    static func < (left: BillingCycle, right: BillingCycle) -> Bool { left.start < right.start }

    private static func date(_ day: Int) -> (year: Int, month: Int, day: Int) {
        var seconds = time_t(day * 86_400)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        return (Int(parts.tm_year) + 1900, Int(parts.tm_mon) + 1, Int(parts.tm_mday))
    }

    /// - Parameter month: 0 is December of the year before.
    private static func day(year: Int, month: Int, day: Int) -> Int {
        // Day 0 of the next month is the last one of this; timegm(3) puts months and days that are out of range right.
        let last = date(seconds(year, month + 1, 0)).day
        return seconds(year, month, min(day, last))
    }

    private static func seconds(_ year: Int, _ month: Int, _ day: Int) -> Int {
        var parts = tm()
        (parts.tm_year, parts.tm_mon, parts.tm_mday) = (CInt(year - 1900), CInt(month - 1), CInt(day))
        return timegm(&parts) / 86_400
    }
}
