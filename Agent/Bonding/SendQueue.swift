/// What waits: packets to be sent again, packets never sent, second copies. The order of numbers is that of source times, so it
/// is that of deadlines.
struct SendQueue: Hashable, Sendable {
    /// Ascending.
    private(set) var again: [PacketNumber] = []
    /// Never sent; ascending, without gaps but for those dropped or passed by.
    private var fresh: [PacketNumber] = []
    private var head = 0
    /// Sent once, their second copy not yet.
    var doubles: [PacketNumber] = []
    private(set) var bytes = 0

    var count: Int { again.count + fresh.count - head }
    var firstFresh: PacketNumber? { head < fresh.count ? fresh[head] : nil }

    /// The next by number, so many of each kind passed over.
    func candidate(_ passedAgain: Int, _ passedFresh: Int) -> PacketNumber? {
        let first = passedAgain < again.count ? again[passedAgain] : nil
        let second = head + passedFresh < fresh.count ? fresh[head + passedFresh] : nil
        guard let first, let second else { return first ?? second }
        return min(first, second)
    }

    func isAgain(_ number: PacketNumber, at index: Int) -> Bool { index < again.count && again[index] == number }

    mutating func addFresh(_ number: PacketNumber, bytes more: Int) {
        fresh.append(number)
        bytes += more
    }

    mutating func addAgain(_ number: PacketNumber, bytes more: Int) {
        var place = again.count
        while place > 0, again[place - 1] > number { place -= 1 }
        again.insert(number, at: place)
        bytes += more
    }

    /// Takes a packet out that is in `again` or the first of the fresh.
    mutating func remove(_ number: PacketNumber, bytes less: Int) {
        bytes -= less
        if firstFresh == number {
            head += 1
            if head > 512 && head * 2 > fresh.count {
                fresh.removeFirst(head)
                head = 0
            }
        } else if let place = again.firstIndex(of: number) {
            again.remove(at: place)
        } else if let place = fresh[head...].firstIndex(of: number) {
            fresh.remove(at: place)
        }
    }
}
