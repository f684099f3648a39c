import Netlink
import Posix

/// What routing tables and rules the links are to have of their own. Holds no socket.
///
/// What leaves by a link (its sockets are bound to the device) looks into that link's table first: a copy of the main table's routes
/// through it. Whatever other links, VPNs and their rules say, it finds its own gateway there, also where two modems have the same
/// addresses. Traffic that is bound to no link never comes here.
struct OwnRoutes: Equatable {
    var routes: Set<RouteEntry> = []
    var rules: Set<RoutingRule> = []

    /// Of all that is ours, so that it can be found and removed after a crash: "S" (iproute2's rt_protos has nobody there).
    static let maker = 0x53
    /// Tables are numbered from "ST" on, by their links' indices.
    static let firstTable = 0x5354_0000
    static let tables = firstTable...firstTable + 0xFFFF
    /// After the local table, and before what VPNs usually take: 5210 (Tailscale), 30000 (NetworkManager), 32764 (wg-quick).
    static let priority = 5000

    init() {}

    /// - Parameters:
    ///   - links: names of the links, by index.
    ///   - messages: all that the kernel has.
    init(links: [Int: String], from messages: [RouteMessage]) {
        // A kernel without policy routing for a family takes any table for the main one. With it the rules of its own are always there.
        var families: Set<SocketAddress.Family> = []
        for case .rule(let rule) in messages { families.insert(rule.family) }
        for case .route(let route) in messages where route.table == RouteEntry.mainTable && route.type == RouteEntry.unicast {
            guard let name = links[route.index], (1...0xFFFF).contains(route.index), families.contains(route.family) else { continue }
            var own = route
            (own.table, own.maker) = (Self.firstTable + route.index, Self.maker)
            routes.insert(own)
            rules.insert(
                RoutingRule(family: route.family, outgoing: name, table: own.table, priority: Self.priority, maker: Self.maker))
        }
    }

    /// What is there of ours, whoever of us made it.
    init(of messages: [RouteMessage]) {
        for message in messages {
            switch message {
            case .route(let route) where route.maker == Self.maker && Self.tables.contains(route.table): routes.insert(route)
            case .rule(let rule) where rule.maker == Self.maker && Self.tables.contains(rule.table): rules.insert(rule)
            default: break
            }
        }
    }

    /// What makes `present` into this. Tables are filled before anything looks into them, and left before they are emptied.
    func changes(from present: OwnRoutes) -> [RouteChange] {
        // Routes to neighbours first: a gateway may lie behind them.
        let added = routes.subtracting(present.routes).sorted {
            ($0.gateway == nil ? 0 : 1, $0.prefixLength) < ($1.gateway == nil ? 0 : 1, $1.prefixLength)
        }
        return added.map(RouteChange.route) + rules.subtracting(present.rules).map(RouteChange.rule)
            + present.rules.subtracting(rules).map(RouteChange.noRule) + present.routes.subtracting(routes).map(RouteChange.noRoute)
    }
}
