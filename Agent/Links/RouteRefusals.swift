import Glibc
import Netlink
import Posix

/// Has the kernel change routes and rules, each by itself, and knows what it refused. Holds no socket and no clock.
struct RouteRefusals {
    struct Refusal: Equatable {
        let change: RouteChange
        let reason: String
    }

    /// false once the first change ever was refused because it takes CAP_NET_ADMIN.
    private(set) var isAllowed = true
    private var hasWorked = false
    /// The last time.
    private var refused: Set<RouteChange> = []

    /// - Parameter ask: asks for one change, throws `SystemError`.
    /// - Returns: what was refused and was not the last time.
    mutating func carryOut(_ changes: [RouteChange], by ask: (RouteChange) throws -> Void) -> [Refusal] {
        var refusals: [Refusal] = []
        for change in changes {
            do {
                try ask(change)
                hasWorked = true
            } catch let error as SystemError where Self.isOvertaken(change, error.code) {
                // It is as it should be, or will be heard of.
            } catch let error as SystemError where error.code == EPERM && !hasWorked {
                isAllowed = false
                break
            } catch {
                refusals.append(Refusal(change: change, reason: "\(error)"))
            }
        }
        let new = refusals.filter { !refused.contains($0.change) }
        refused = Set(refusals.map(\.change))
        return new
    }

    /// Whether what it is about went, or came, meanwhile.
    private static func isOvertaken(_ change: RouteChange, _ code: CInt) -> Bool {
        switch (change, code) {
        // EACCES: IPv6 was switched off on the device (`ip6_route_add`).
        case (.route, ENODEV), (.route, ENETDOWN), (.route, EACCES): true
        case (.noRoute, ESRCH), (.noRoute, ENODEV), (.noRule, ENOENT), (.rule, EEXIST): true
        default: false
        }
    }
}

extension RouteChange {
    /// For the log: `10.0.0.0/8 dev 4 table 1398013956`.
    var words: String {
        switch self {
        case .route(let route), .noRoute(let route):
            "\(route.destination?.host ?? "default")/\(route.prefixLength) dev \(route.index) table \(route.table)"
        case .rule(let rule), .noRule(let rule): "oif \(rule.outgoing ?? "") table \(rule.table) \(rule.family)"
        default: "\(self)"
        }
    }
}
