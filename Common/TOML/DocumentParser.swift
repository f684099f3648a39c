/// Reads a document: headers, keys and which of them may stand beside each other.
struct DocumentParser {
    private var cursor: Cursor
    private let limits: TOMLTable.Limits
    private let root = TableNode(.header, depth: 0)

    init(_ bytes: [UInt8], limits: TOMLTable.Limits) {
        cursor = Cursor(bytes)
        self.limits = limits
    }

    mutating func parse() throws(TOMLFault) -> TOMLTable {
        guard cursor.bytes.count <= limits.bytes else { throw cursor.fault("a document of more than \(limits.bytes) bytes") }
        try checkUTF8()
        cursor.skipByteOrderMark()
        var section = root
        while true {
            try cursor.skipSpace()
            guard let byte = cursor.peek else { return root.value() }
            if byte == UInt8(ascii: "[") {
                section = try header()
            } else {
                try keyValue(into: section)
            }
            try endOfLine()
        }
    }

    private func checkUTF8() throws(TOMLFault) {
        let text = String(decoding: cursor.bytes, as: UTF8.self)
        guard !text.utf8.elementsEqual(cursor.bytes) else { return }
        let good = zip(text.utf8, cursor.bytes).prefix { $0 == $1 }.count
        let before = cursor.bytes[..<good]
        let column = good - (before.lastIndex(of: 0x0a).map { $0 + 1 } ?? 0) + 1
        throw TOMLFault(position: TOMLPosition(line: before.count { $0 == 0x0a } + 1, column: column), reason: "bytes that are not UTF-8")
    }

    private mutating func endOfLine() throws(TOMLFault) {
        cursor.skipBlanks()
        try cursor.skipComment()
        guard try cursor.skipNewline() || cursor.isAtEnd else { throw cursor.fault("expected the end of the line") }
    }

    /// `[a.b]` or `[[a.b]]`.
    private mutating func header() throws(TOMLFault) -> TableNode {
        cursor.advance()
        let isArray = cursor.skip("[")
        cursor.skipBlanks()
        let path = try cursor.key()
        cursor.skipBlanks()
        try cursor.expect("]", "at the end of the header")
        if isArray { try cursor.expect("]", "right behind the first, for [[ ]]") }
        var node = root
        for part in path.dropLast() { node = try descend(node, part) }
        guard let last = path.last else { preconditionFailure("a key has at least one part") }
        return isArray ? try element(of: node, last) : try table(in: node, last)
    }

    private func descend(_ node: TableNode, _ part: KeyPart) throws(TOMLFault) -> TableNode {
        switch node[part.name] {
        case nil:
            let child = try self.child(.path, of: node, part)
            node.add(part.name, .table(child), at: part.position)
            return child
        case .table(let child) where child.origin != .inline: return child
        case .tables(let children):
            guard let last = children.last else { preconditionFailure("an array of tables has at least one") }
            return last
        default: throw part.fault("'\(part.name)' already has a value")
        }
    }

    private func table(in node: TableNode, _ part: KeyPart) throws(TOMLFault) -> TableNode {
        switch node[part.name] {
        case nil:
            let child = try self.child(.header, of: node, part)
            node.add(part.name, .table(child), at: part.position)
            return child
        case .table(let child) where child.origin == .path:
            child.origin = .header
            return child
        default: throw part.fault("'\(part.name)' is defined twice")
        }
    }

    private func element(of node: TableNode, _ part: KeyPart) throws(TOMLFault) -> TableNode {
        let child = try self.child(.header, of: node, part)
        switch node[part.name] {
        case nil: node.add(part.name, .tables([child]), at: part.position)
        case .tables(let children): node.replace(part.name, .tables(children + [child]))
        default: throw part.fault("'\(part.name)' is not an array of tables")
        }
        return child
    }

    private func child(_ origin: TableNode.Origin, of node: TableNode, _ part: KeyPart) throws(TOMLFault) -> TableNode {
        guard node.depth < limits.depth else { throw part.fault("tables deeper than \(limits.depth)") }
        return TableNode(origin, depth: node.depth + 1)
    }

    /// `a.b = value` into a section or an inline table.
    private mutating func keyValue(into section: TableNode) throws(TOMLFault) {
        let path = try cursor.key()
        cursor.skipBlanks()
        try cursor.expect("=", "behind the key")
        cursor.skipBlanks()
        var node = section
        for part in path.dropLast() {
            switch node[part.name] {
            case nil:
                let child = try self.child(.dotted, of: node, part)
                node.add(part.name, .table(child), at: part.position)
                node = child
            case .table(let child) where child.origin == .dotted: node = child
            default: throw part.fault("'\(part.name)' cannot be extended by a dotted key here")
            }
        }
        guard let last = path.last else { preconditionFailure("a key has at least one part") }
        guard node[last.name] == nil else { throw last.fault("'\(last.name)' is defined twice") }
        let value = try self.value(depth: node.depth + 1)
        node.add(last.name, value, at: last.position)
    }

    private mutating func value(depth: Int) throws(TOMLFault) -> TableNode.Child {
        switch cursor.peek {
        case UInt8(ascii: "["):
            guard depth <= limits.depth else { throw cursor.fault("values deeper than \(limits.depth)") }
            return .value(.array(try array(depth: depth)))
        case UInt8(ascii: "{"):
            guard depth <= limits.depth else { throw cursor.fault("values deeper than \(limits.depth)") }
            return .table(try inlineTable(depth: depth))
        default: return .value(try cursor.scalar())
        }
    }

    private mutating func array(depth: Int) throws(TOMLFault) -> [TOMLValue] {
        cursor.advance()
        var values: [TOMLValue] = []
        while true {
            try cursor.skipSpace()
            if cursor.skip("]") { return values }
            switch try value(depth: depth + 1) {
            case .value(let value): values.append(value)
            case .table(let node): values.append(.table(node.value()))
            case .tables: preconditionFailure("no value is an array of tables")
            }
            try cursor.skipSpace()
            if cursor.skip("]") { return values }
            try cursor.expect(",", "or ']' in the array")
        }
    }

    /// On one line, without a comma at its end.
    private mutating func inlineTable(depth: Int) throws(TOMLFault) -> TableNode {
        cursor.advance()
        let node = TableNode(.inline, depth: depth)
        cursor.skipBlanks()
        if cursor.skip("}") { return node }
        while true {
            cursor.skipBlanks()
            try keyValue(into: node)
            cursor.skipBlanks()
            if cursor.skip("}") { return node }
            try cursor.expect(",", "or '}' in the inline table")
        }
    }
}
