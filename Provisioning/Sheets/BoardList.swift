import Units

/// A list of boards that somebody made in a spreadsheet: a line for each, the first with the columns' names.
///
/// Columns: `name`, and where they are wanted `configuration`, the name of a file beside the list. Comma or semicolon between them, quotes as
/// RFC 4180 has them.
package struct BoardList: Hashable, Sendable {
    package struct Entry: Hashable, Sendable {
        package var name: String
        /// A file's name, relative to the list.
        package var configuration: String?
    }

    package struct Fault: Error, Hashable, Sendable, CustomStringConvertible {
        /// From 1.
        let line: Int
        let reason: String
        package var description: String { "line \(line): \(reason)" }
    }

    package let entries: [Entry]
    package static let limit = 1000
    static let byteLimit = 256 << 10

    /// - Throws: `Fault` for the first line that cannot be understood, or that names a board again.
    package init(_ bytes: [UInt8]) throws(Fault) {
        guard bytes.count <= Self.byteLimit else { throw Fault(line: 1, reason: "more than \(Self.byteLimit) bytes") }
        // Spreadsheets put a mark of the byte order before UTF-8.
        let marked = bytes.starts(with: [0xEF, 0xBB, 0xBF])
        guard let text = String(validating: bytes.dropFirst(marked ? 3 : 0), as: UTF8.self) else {
            throw Fault(line: 1, reason: "it is not UTF-8: save it as CSV in UTF-8")
        }
        var rows = try Self.rows(text)[...]
        guard let head = rows.popFirst() else { throw Fault(line: 1, reason: "the columns' names are missing: name, configuration") }
        let columns = head.fields.map { $0.lowercased() }
        guard columns.contains("name"), columns.allSatisfy({ ["name", "configuration"].contains($0) }), Set(columns).count == columns.count
        else { throw Fault(line: head.line, reason: "the columns are name and configuration, each once") }
        guard rows.count <= Self.limit else { throw Fault(line: head.line, reason: "more than \(Self.limit) boards") }
        var found: [Entry] = []
        var names: Set<String> = []
        for row in rows {
            let entry = try Self.entry(row, columns)
            guard names.insert(entry.name).inserted else { throw Fault(line: row.line, reason: "a second board of the same name") }
            found.append(entry)
        }
        entries = found
    }

    private struct Row {
        var line: Int
        var fields: [String]
    }

    private static func entry(_ row: Row, _ columns: [String]) throws(Fault) -> Entry {
        guard row.fields.count == columns.count else {
            throw Fault(line: row.line, reason: "\(row.fields.count) fields where there are \(columns.count) columns")
        }
        var entry = Entry(name: "")
        for (column, field) in zip(columns, row.fields) {
            if column == "name" { entry.name = field } else if !field.isEmpty { entry.configuration = field }
        }
        let isName = (1...100).contains(entry.name.count) && entry.name.utf8.count <= 400 && entry.name.isPlain
        guard isName, !entry.name.allSatisfy(\.isWhitespace) else {
            throw Fault(line: row.line, reason: "a name of 1 to 100 characters on one line is expected")
        }
        if let file = entry.configuration, !file.isPlain || !isBeside(file) {
            throw Fault(line: row.line, reason: "the configuration is a file beside the list, or in a folder there")
        }
        return entry
    }

    /// As the kernel reads a path: by its bytes.
    private static func isBeside(_ file: String) -> Bool {
        let parts = file.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        return !parts.contains { $0.isEmpty || $0.elementsEqual("..".utf8) }
    }

    /// Lines with something in them, cut into fields; spaces around a field are not its own.
    private static func rows(_ text: String) throws(Fault) -> [Row] {
        let scalars = Array(text.unicodeScalars)
        let separator: Unicode.Scalar = scalars.prefix { $0 != "\n" }.contains(";") ? ";" : ","
        var (rows, fields, field) = ([Row](), [String](), String.UnicodeScalarView())
        var (line, began, isQuoted, wasQuoted) = (1, 1, false, false)
        func ended() -> String {
            let text = String(field)
            return wasQuoted ? text : String(text.trimmingSpaces)
        }
        var index = 0
        while index < scalars.count {
            let scalar = scalars[index]
            index += 1
            if scalar == "\n" { line += 1 }
            if isQuoted {
                if scalar != "\"" {
                    field.append(scalar)
                } else if index < scalars.count, scalars[index] == "\"" {
                    field.append("\"")
                    index += 1
                } else {
                    isQuoted = false
                }
                continue
            }
            switch scalar {
            case "\"" where String(field).trimmingSpaces.isEmpty && !wasQuoted:
                (field, isQuoted, wasQuoted) = (String.UnicodeScalarView(), true, true)
            case "\r" where index < scalars.count && scalars[index] == "\n": break
            case separator, "\n":
                fields.append(ended())
                (field, wasQuoted) = (String.UnicodeScalarView(), false)
                guard scalar == "\n" else { continue }
                if fields != [""] { rows.append(Row(line: began, fields: fields)) }
                (fields, began) = ([], line)
            case " " where wasQuoted: break
            default:
                guard !wasQuoted else { throw Fault(line: line, reason: "something behind a closing quote") }
                field.append(scalar)
            }
        }
        guard !isQuoted else { throw Fault(line: began, reason: "a quote that is not closed") }
        fields.append(ended())
        if fields != [""] { rows.append(Row(line: began, fields: fields)) }
        return rows
    }
}

extension String {
    /// Without the spaces and tabs at its ends.
    fileprivate var trimmingSpaces: Substring {
        func isSpace(_ character: Character) -> Bool { character == " " || character == "\t" }
        var rest = self[...]
        while let first = rest.first, isSpace(first) { rest.removeFirst() }
        while let last = rest.last, isSpace(last) { rest.removeLast() }
        return rest
    }
}
