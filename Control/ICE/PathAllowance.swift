/// What may go to an address that has not shown yet that it is who it says: three times what came from there.
///
/// A check does not say where it was sent from: whoever has a session's password can write anybody's address on it. So what is sent there
/// before something has come back that only who got it can know is bounded by what that costs the sender. Source of the number: RFC 9000
/// section 8.1.
struct PathAllowance: Hashable {
    static let factor = 3

    /// Bytes.
    private var left = 0
    /// What we send arrives at who sends to us: nothing is counted any more.
    private(set) var isProven = false

    /// Bytes came, authentic or not: who forges them pays for them.
    mutating func came(_ count: Int) {
        if !isProven { left += Self.factor * count }
    }

    /// - Returns: whether so many bytes may go; if so, they are counted.
    mutating func spend(_ count: Int) -> Bool {
        guard !isProven else { return true }
        guard count <= left else { return false }
        left -= count
        return true
    }

    mutating func prove() { isProven = true }
}
