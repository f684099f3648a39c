import FoundationEssentials
import Wire

/// The shape of a JSON value: what the OpenAPI document says, and what a request's body is held against, are the same.
indirect enum Schema: Sendable {
    case text(Text)
    case integer(ClosedRange<Int>)
    case number
    case flag
    case list(Schema, upTo: Int, atLeast: Int = 0)
    case object([Field])
    /// Another schema by its name in `Schemas.all`.
    case reference(String)

    struct Text: Sendable {
        var length: ClosedRange<Int> = 0...WireLimits.textCharacters
        var choices: [String]?
        /// A regular expression for the document; `accepts` is what is enforced.
        var pattern: String?
        var format: String?
        var expectation: String
        var accepts: @Sendable (String) -> Bool = { _ in true }
    }

    struct Field: Sendable {
        let name: String
        let schema: Schema
        let isRequired: Bool
    }
}

extension Schema.Field {
    static func required(_ name: String, _ schema: Schema) -> Schema.Field { .init(name: name, schema: schema, isRequired: true) }
    static func optional(_ name: String, _ schema: Schema) -> Schema.Field { .init(name: name, schema: schema, isRequired: false) }
}

// MARK: Checking

extension Schema {
    /// Every fault of a value, each with the field's path.
    func faults(of value: JSONValue, at path: String = "") -> [Problem.Fault] {
        switch (self, value) {
        case (.text(let text), .text(let string)): text.faults(of: string, at: path)
        case (.integer(let range), .integer(let number)):
            range.contains(number) ? [] : [fault(path, "a whole number from \(range.lowerBound) to \(range.upperBound)")]
        case (.number, .integer), (.number, .number), (.flag, .flag): []
        case (.list(let item, let most, let least), .list(let values)):
            (least...most).contains(values.count)
                ? values.enumerated().flatMap { item.faults(of: $0.element, at: "\(path)[\($0.offset)]") }
                : [fault(path, "\(expectation), not \(values.count)")]
        case (.object(let fields), .object(let members)): Self.faults(of: members, against: fields, at: path)
        case (.reference(let name), _): Schemas.named(name).faults(of: value, at: path)
        default: [fault(path, expectation)]
        }
    }

    private static func faults(of members: [String: JSONValue], against fields: [Field], at path: String) -> [Problem.Fault] {
        func inside(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }
        var result: [Problem.Fault] = []
        for field in fields {
            switch members[field.name] {
            case nil:
                if field.isRequired { result.append(Problem.Fault(field: inside(field.name), expected: field.schema.expectation)) }
            case .null? where !field.isRequired: break
            case let member?: result += field.schema.faults(of: member, at: inside(field.name))
            }
        }
        let known = Set(fields.map(\.name))
        for name in members.keys.sorted() where !known.contains(name) {
            result.append(Problem.Fault(field: inside(name.bounded(to: 64)), expected: "no such field"))
        }
        return result
    }

    private func fault(_ path: String, _ expected: String) -> Problem.Fault {
        Problem.Fault(field: path.isEmpty ? "body" : path, expected: expected)
    }

    var expectation: String {
        switch self {
        case .text(let text): text.expectation
        case .integer(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .number: "a number"
        case .flag: "true or false"
        case .list(let item, let most, let least):
            "a list of \(least == 0 ? "at most" : "\(least) to") \(most) entries, each \(item.expectation)"
        case .object: "an object"
        case .reference(let name): Schemas.named(name).expectation
        }
    }
}

extension Schema.Text {
    func faults(of string: String, at path: String) -> [Problem.Fault] {
        let count = string.unicodeScalars.count
        let isRight = length.contains(count) && (choices.map { $0.contains(string) } ?? true) && accepts(string)
        return isRight ? [] : [Problem.Fault(field: path.isEmpty ? "body" : path, expected: expectation)]
    }
}

// MARK: The document

extension Schema {
    /// JSON Schema (2020-12) as OpenAPI 3.1 takes it.
    var document: String {
        switch self {
        case .text(let text): text.document
        case .integer(let range): "{\"type\":\"integer\",\"minimum\":\(range.lowerBound),\"maximum\":\(range.upperBound)}"
        case .number: "{\"type\":\"number\"}"
        case .flag: "{\"type\":\"boolean\"}"
        case .list(let item, let most, let least):
            "{\"type\":\"array\",\"minItems\":\(least),\"maxItems\":\(most),\"items\":\(item.document)}"
        case .reference(let name): "{\"$ref\":\"#/components/schemas/\(name)\"}"
        case .object(let fields): Self.document(of: fields)
        }
    }

    private static func document(of fields: [Field]) -> String {
        let properties = fields.map { field in
            let schema = field.isRequired ? field.schema.document : "{\"anyOf\":[\(field.schema.document),{\"type\":\"null\"}]}"
            return "\(quoted(field.name)):\(schema)"
        }
        let required = fields.filter(\.isRequired).map { quoted($0.name) }
        return "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\(required.joined(separator: ","))],"
            + "\"properties\":{\(properties.joined(separator: ","))}}"
    }

    static func quoted(_ text: String) -> String {
        let escaped = text.flatMap { character -> String in
            switch character {
            case "\"": "\\\""
            case "\\": "\\\\"
            default: String(character)
            }
        }
        return "\"\(String(escaped))\""
    }
}

extension Schema.Text {
    var document: String {
        var members = ["\"type\":\"string\"", "\"minLength\":\(length.lowerBound)", "\"maxLength\":\(length.upperBound)"]
        if let choices { members.append("\"enum\":[\(choices.map(Schema.quoted).joined(separator: ","))]") }
        if let pattern { members.append("\"pattern\":\(Schema.quoted(pattern))") }
        if let format { members.append("\"format\":\(Schema.quoted(format))") }
        return "{\(members.joined(separator: ","))}"
    }
}
