/// A table while its document is being read: what made it decides what may still be added (TOML 1.0, "Table").
final class TableNode {
    enum Origin {
        /// The root, or a `[header]` of its own.
        case header
        /// A part of a longer header: may still get its own, once.
        case path
        /// A part of a dotted key: may be extended by dotted keys of the same section, and by headers below it.
        case dotted
        /// `{ … }`: closed.
        case inline
    }

    enum Child {
        case value(TOMLValue)
        case table(TableNode)
        /// `[[header]]`.
        case tables([TableNode])
    }

    var origin: Origin
    let depth: Int
    private var order: [(key: String, position: TOMLPosition)] = []
    private var children: [String: Child] = [:]

    init(_ origin: Origin, depth: Int) {
        self.origin = origin
        self.depth = depth
    }

    subscript(_ key: String) -> Child? { children[key] }

    func add(_ key: String, _ child: Child, at position: TOMLPosition) {
        order.append((key, position))
        children[key] = child
    }

    func replace(_ key: String, _ child: Child) { children[key] = child }

    func value() -> TOMLTable {
        var table = TOMLTable()
        for (key, position) in order {
            switch children[key] {
            case .value(let value): table.append(key, value, at: position)
            case .table(let node): table.append(key, .table(node.value()), at: position)
            case .tables(let nodes): table.append(key, .array(nodes.map { .table($0.value()) }), at: position)
            case nil: preconditionFailure("each key in the order has its child")
            }
        }
        return table
    }
}
