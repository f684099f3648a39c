extension [String] {
    /// One text of several that others have written, within a bound: what does not fit is counted at its end.
    ///
    /// Where there is no room for all, each is cut to its share of it, a quarter at least, so that the first does not hide the others.
    ///
    /// - Parameter count: characters, as `bounded` counts them.
    package func listed(by separator: String = "; ", within count: Int = WireLimits.textCharacters) -> String {
        let whole = map { $0.bounded(to: count) }.joined(separator: separator)
        guard whole.unicodeScalars.count > count else { return whole }
        let share = Swift.max(1, count / Swift.min(self.count, 4) - separator.unicodeScalars.count)
        let end = "\(separator)and \(self.count) more".unicodeScalars.count
        var (result, length) = ("", 0)
        for (index, text) in enumerated() {
            let next = (index == 0 ? "" : separator) + text.bounded(to: share)
            length += next.unicodeScalars.count
            let rest = self.count - index
            guard length + (rest == 1 ? 0 : end) <= count else { return (result + "\(separator)and \(rest) more").bounded(to: count) }
            result += next
        }
        return result
    }
}
