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

    /// How many were passed over, of those to be sent again and of those never sent.
    struct Place: Hashable {
        fileprivate(set) var again = 0
        fileprivate(set) var fresh = 0
    }

    /// The next by number.
    func candidate(_ place: Place) -> PacketNumber? {
        let first = place.again < again.count ? again[place.again] : nil
        let second = head + place.fresh < fresh.count ? fresh[head + place.fresh] : nil
        guard let first, let second else { return first ?? second }
        return min(first, second)
    }

    /// Passes over this one, the candidate.
    func pass(_ number: PacketNumber, _ place: inout Place) {
        if place.again < again.count, again[place.again] == number { place.again += 1 } else { place.fresh += 1 }
    }

    /// Passes over all that something holds for, which no packet after one for which it does not may do.
    func pass(_ place: inout Place, while holds: (PacketNumber) -> Bool) {
        place.again += again[place.again...].countPassed(while: holds)
        place.fresh += fresh[(head + place.fresh)...].countPassed(while: holds)
    }

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

extension ArraySlice<PacketNumber> {
    /// Of those at the start that something holds for, which it does for none after; found by halving.
    fileprivate func countPassed(while holds: (PacketNumber) -> Bool) -> Int {
        var (low, high) = (startIndex, endIndex)
        while low < high {
            let middle = (low + high) / 2
            if holds(self[middle]) { low = middle + 1 } else { high = middle }
        }
        return low - startIndex
    }
}
