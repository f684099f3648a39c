/// A figure over time, in steps of 10 ms of the machine's monotonic clock: what several programs print fits together.
package struct StepCounts: Hashable, Sendable, Codable {
    package static let nanoseconds: Int64 = 10_000_000
    /// Twenty minutes; what lies outside is not recorded.
    private static let limit = 120_000

    /// The first step's number since the clock's zero.
    package private(set) var first: Int64 = 0
    package private(set) var values: [Int] = []

    package init() {}

    package mutating func add(_ amount: Int, at now: Int64) {
        guard let index = index(at: now) else { return }
        values[index] += amount
    }

    /// The step's value becomes `amount` where it was less.
    package mutating func raise(to amount: Int, at now: Int64) {
        guard let index = index(at: now) else { return }
        values[index] = max(values[index], amount)
    }

    package func sum(from start: Int64, to end: Int64) -> Int {
        values.enumerated().reduce(0) { sum, entry in
            let time = (first + Int64(entry.offset)) * Self.nanoseconds
            return time >= start && time < end ? sum + entry.element : sum
        }
    }

    private mutating func index(at now: Int64) -> Int? {
        let step = now / Self.nanoseconds
        if values.isEmpty { first = step }
        if step < first {
            guard first - step + Int64(values.count) <= Self.limit else { return nil }
            values.insert(contentsOf: [Int](repeating: 0, count: Int(first - step)), at: 0)
            first = step
        }
        guard step - first < Int64(Self.limit) else { return nil }
        let index = Int(step - first)
        while values.count <= index { values.append(0) }
        return index
    }
}
