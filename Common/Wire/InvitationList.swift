/// A list of people to invite as spreadsheets write one: a line for each, `email` or `email,role`. Source: RFC 4180; semicolons and tabs
/// besides, which some spreadsheets write, and either end of a line. A cell in quotes stays on its line.
package struct InvitationList: Sendable, Hashable {
    package struct Entry: Sendable, Hashable {
        /// From 1, as an editor counts.
        package let line: Int
        /// Whatever stands there: whether it is an address is for whoever invites.
        package let email: String
        /// nil where the line names none.
        package let role: Role?
    }

    package struct Fault: Sendable, Hashable {
        package let line: Int
        package let expected: String
    }

    /// In the order of their lines.
    package private(set) var entries: [Entry] = []
    package private(set) var faults: [Fault] = []

    /// Lines of people; what follows is not read.
    package static let most = 200
    /// Characters of a cell that anything is made of.
    private static let cellCharacters = 254
    private static let invitable = Role.allCases.filter { $0 != .owner }

    package init(_ text: String) {
        var number = 0
        // By scalars: a line end of two characters is one `Character`.
        for line in text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false) {
            number += 1
            let line = line.last == "\r" ? line.dropLast() : line
            read(String(String.UnicodeScalarView(number == 1 && line.first == "\u{FEFF}" ? line.dropFirst() : line)), number)
            guard entries.count + faults.count <= Self.most else {
                faults.append(Fault(line: number, expected: "at most \(Self.most) people; what follows was not read"))
                return
            }
        }
    }

    private mutating func read(_ line: String, _ number: Int) {
        guard let cells = Self.cells(of: line) else {
            return faults.append(Fault(line: number, expected: "a cell in quotes that ends on its line, with nothing behind it"))
        }
        guard cells.contains(where: { !$0.isEmpty }) else { return }
        if number == 1, cells[0].lowercased() == "email" { return }
        // A spreadsheet writes as many separators as its widest row has.
        guard cells.dropFirst(2).allSatisfy(\.isEmpty), cells.allSatisfy({ $0.unicodeScalars.count <= Self.cellCharacters }) else {
            return faults.append(Fault(line: number, expected: "a mail address, and a role where it is another one"))
        }
        let named = cells.count > 1 && !cells[1].isEmpty ? cells[1] : nil
        let role = named.flatMap { name in Self.invitable.first { $0.rawValue == name.lowercased() } }
        guard named == nil || role != nil else {
            let roles = Self.invitable.map(\.rawValue).joined(separator: ", ")
            return faults.append(Fault(line: number, expected: "one of the roles \(roles)"))
        }
        entries.append(Entry(line: number, email: cells[0], role: role))
    }

    private static let separators: Set<Unicode.Scalar> = [",", ";", "\t"]

    /// nil for quotes that do not end, or end within a cell.
    private static func cells(of line: String) -> [String]? {
        var cells: [String] = []
        var rest = line.unicodeScalars[...]
        while true {
            rest = rest.drop { $0 == " " }
            guard let cell = rest.first == "\"" ? quoted(&rest) : plain(&rest) else { return nil }
            cells.append(trimmed(cell))
            rest = rest.drop { $0 == " " }
            guard let separator = rest.popFirst() else { return cells }
            guard separators.contains(separator) else { return nil }
        }
    }

    private static func plain(_ rest: inout Substring.UnicodeScalarView) -> Substring.UnicodeScalarView? {
        let cell = rest.prefix { !separators.contains($0) }
        rest = rest[cell.endIndex...]
        return cell
    }

    private static func quoted(_ rest: inout Substring.UnicodeScalarView) -> Substring.UnicodeScalarView? {
        rest.removeFirst()
        var cell = String.UnicodeScalarView()
        while let next = rest.popFirst() {
            if next == "\"" {
                // Two of them are one that is meant.
                guard rest.first == "\"" else { return cell[...] }
                rest.removeFirst()
            }
            cell.append(next)
        }
        return nil
    }

    private static func trimmed(_ cell: Substring.UnicodeScalarView) -> String {
        var cell = cell.drop { $0 == " " }
        while cell.last == " " { cell.removeLast() }
        return String(String.UnicodeScalarView(cell))
    }
}
