import Crypto
package import Logging

/// Something went wrong that a person should see, as it was noticed: its texts are redacted where it is written for somebody.
package struct ErrorEvent: Sendable, Hashable {
    package enum Level: String, Sendable, Encodable {
        /// The program ended by it.
        case fatal
        case error
    }

    package enum Platform: String, Sendable, Encodable {
        /// The server: trackers know no Swift on servers.
        case other
        /// The web application.
        case javascript
    }

    /// A place that the program was at.
    package struct Frame: Sendable, Hashable {
        package var function: String?
        package var file: String
        package var line: Int?
        package var column: Int?

        package init(function: String? = nil, file: String, line: Int? = nil, column: Int? = nil) {
            self.function = function
            self.file = file
            self.line = line
            self.column = column
        }
    }

    /// 32 hexadecimal digits.
    package let id: String
    let unixMs: Int64
    let level: Level
    let platform: Platform
    /// `control.api`.
    let component: String
    /// A constant sentence, or the kind of error: what events are grouped by, with the component.
    let message: String
    let detail: String?
    let fields: [Log.Entry.Field]
    /// The innermost last.
    let frames: [Frame]
    /// What it was noticed in; nil where that is no request.
    package internal(set) var route: String?
    package internal(set) var organization: String?
    /// What was logged before, the oldest first; behind it, of a page, what it has seen itself.
    package internal(set) var crumbs: [Log.Entry]

    package init(
        at unixMs: Int64, _ level: Level = .error, on platform: Platform = .other, component: String, message: String,
        detail: String? = nil, fields: [Log.Entry.Field] = [], frames: [Frame] = [], route: String? = nil, organization: String? = nil,
        crumbs: [Log.Entry] = []
    ) {
        id = Hex.encode(randomBytes(16))
        self.unixMs = unixMs
        self.level = level
        self.platform = platform
        self.component = component
        self.message = message
        self.detail = detail
        self.fields = fields
        self.frames = frames
        self.route = route
        self.organization = organization
        self.crumbs = crumbs
    }

    /// Of a line of the log. Its field `error` is the detail; `organization` says whose it is.
    init(_ entry: Log.Entry, route: String?, organization: String?) {
        func value(_ name: String) -> String? { entry.fields.first { $0.name == name }?.value }
        self.init(
            at: entry.unixMs, component: entry.part, message: entry.message, detail: value("error"),
            fields: entry.fields.filter { $0.name != "error" && $0.name != "organization" },
            frames: entry.place.map { [Frame(file: $0.file, line: $0.line)] } ?? [], route: route,
            organization: value("organization") ?? organization)
    }
}

/// What every event of an installation says of it.
package struct Deployment: Sendable {
    /// The same for all runs of one server, and no other's.
    let id: String
    let version: String
    /// `production`.
    let environment: String

    package init(id: String, version: String, environment: String) {
        self.id = id
        self.version = version
        self.environment = environment
    }

    var release: String { "strata@\(version)" }
}
