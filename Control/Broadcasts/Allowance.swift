/// How often a thing may be written down: some times at once, then once in a while. Holds no clock.
struct Allowance: Sendable {
    private let atOnce: Int
    private let everyMs: Int64
    private var left: Int
    /// When it was filled up last, in Unix milliseconds.
    private var filledMs: Int64?
    /// What was not written since something was.
    private(set) var omitted = 0

    init(atOnce: Int, everyMs: Int64) {
        self.atOnce = atOnce
        self.everyMs = everyMs
        left = atOnce
    }

    /// Whether it may be written now; it counts as written then.
    mutating func take(atMs: Int64) -> Bool {
        fill(atMs: atMs)
        guard left > 0 else { return false }
        left -= 1
        return true
    }

    mutating func omit() { omitted += 1 }

    /// What was omitted until now, for what is written now; nil for nothing.
    mutating func settle() -> Int? {
        defer { omitted = 0 }
        return omitted == 0 ? nil : omitted
    }

    private mutating func fill(atMs: Int64) {
        // A wall clock that was set back fills nothing, and is waited for from there.
        guard let filledMs, filledMs <= atMs else { return self.filledMs = atMs }
        let times = (atMs - filledMs) / everyMs
        left = Int(min(Int64(atOnce), Int64(left) + times))
        self.filledMs = filledMs + times * everyMs
    }
}
