import Netlink
import Posix

/// What routing tables and rules the links are to have of their own. Holds no socket.
///
/// What leaves by a link (its sockets are bound to the device) looks into that link's table first: a copy of the main table's routes
/// through it. Whatever other links, VPNs and their rules say, it finds its own gateway there, also where two modems have the same
/// addresses. Traffic that is bound to no link never comes here. A link with several routers for one destination has no table of its own in
/// that family.
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
        let copied = messages.compactMap { message -> RouteEntry? in
            guard case .route(let route) = message, route.table == RouteEntry.mainTable, route.type == RouteEntry.unicast else {
                return nil
            }
            return families.contains(route.family) && links[route.index] != nil && (1...0xFFFF).contains(route.index) ? route : nil
        }
        let contested = Self.contested(copied)
        for route in copied where !contested.contains(Way(route)) {
            guard let name = links[route.index] else { continue }
            var own = route
            (own.table, own.maker) = (Self.firstTable + route.index, Self.maker)
            routes.insert(own)
            rules.insert(
                RoutingRule(family: route.family, outgoing: name, table: own.table, priority: Self.priority, maker: Self.maker))
        }
    }

    /// A link, for one family.
    private struct Way: Hashable {
        let index: Int
        let family: SocketAddress.Family

        init(_ route: RouteEntry) { (index, family) = (route.index, route.family) }
    }

    /// Where several routers offer the same destination at the same cost: which one it is the kernel decides, by the routers' preference,
    /// by who answers, by who came first, and none of it can be copied.
    private static func contested(_ routes: [RouteEntry]) -> Set<Way> {
        var gateways: [RouteEntry: SocketAddress?] = [:]
        var found: Set<Way> = []
        for route in routes {
            var place = route
            (place.gateway, place.source, place.maker) = (nil, nil, 0)
            if let other = gateways.updateValue(route.gateway, forKey: place), other != route.gateway { found.insert(Way(route)) }
        }
        return found
    }

    /// For the log: `2 rules, 5 routes`; nil where there is nothing.
    var words: String? { self == OwnRoutes() ? nil : "\(rules.count) rules, \(routes.count) routes" }

    /// What a person does about those that this program may not remove.
    static let remedy: String = {
        let commands = ["ip", "ip -6"].flatMap { ["\($0) rule flush protocol \(maker)", "\($0) route flush table all protocol \(maker)"] }
        return "run as root: \(commands.joined(separator: "; ")); or start the agent with CAP_NET_ADMIN"
    }()

    static func isOurs(_ rule: RoutingRule) -> Bool { rule.maker == maker && tables.contains(rule.table) }

    /// What is there of ours, whoever of us made it.
    init(of messages: [RouteMessage]) {
        for message in messages {
            switch message {
            case .route(let route) where route.maker == Self.maker && Self.tables.contains(route.table): routes.insert(route)
            case .rule(let rule) where Self.isOurs(rule): rules.insert(rule)
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
