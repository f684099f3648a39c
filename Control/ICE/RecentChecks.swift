import STUN

/// The last checks of a session and the paths by which they came: whoever records one and sends it from elsewhere has what is known already.
///
/// 256 are ten minutes of a call in peace, one check each 2.5 s, and seconds of one whose paths are looked for.
struct RecentChecks {
    enum Finding: Hashable { case new, again, elsewhere }

    private static let size = 256

    private var checks: [(transaction: TransactionID, path: Path)] = []
    private var next = 0

    func find(_ transaction: TransactionID, over path: Path) -> Finding {
        for check in checks where check.transaction == transaction { return check.path == path ? .again : .elsewhere }
        return .new
    }

    mutating func insert(_ transaction: TransactionID, over path: Path) {
        if checks.count < Self.size {
            checks.append((transaction, path))
        } else {
            checks[next] = (transaction, path)
            next = (next + 1) % Self.size
        }
    }
}
