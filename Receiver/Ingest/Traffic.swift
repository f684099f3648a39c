/// Bytes and packets of one source: a total, and the bytes of the last second in four quarters.
struct Traffic: Equatable {
    private(set) var packetsTotal = 0
    private var bytes = 0
    private var quarters = [0, 0, 0, 0]

    mutating func add(bytes count: Int) {
        packetsTotal += 1
        bytes += count
    }

    /// Once in a quarter of a second.
    mutating func turn() {
        quarters.removeFirst()
        quarters.append(bytes)
        bytes = 0
    }

    /// Bytes of the last four quarters that are complete.
    var lastSecond: Int { quarters.reduce(0, +) }
}
