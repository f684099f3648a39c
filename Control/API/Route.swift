import Auth
import HTTP
import Web

/// One operation of the API: how it is reached, who may call it, what it takes and gives, and what it does. The router,
/// the checks and the OpenAPI document all read this one description.
struct Route: Sendable {
    let method: Method
    /// `/api/v1/senders/{id}`.
    let path: String
    let access: Access
    /// A sentence for the document.
    let summary: String
    /// What may stand behind the `?`, each at most once; what else stands there is passed over.
    var query: [Schema.Field] = []
    /// The name of the body's schema.
    var body: String?
    /// In place of a JSON body: the media types of a file.
    var file: [String]?
    /// The success: its status and the name of its schema; nil is an empty answer.
    let success: Success
    /// The errors it can end with, beside those that every route has.
    var problems: [ProblemKind] = []
    /// Whether its requests are counted by themselves: what a person needs to stop a broadcast is not refused for what else they do.
    var isUrgent = false
    let run: @Sendable (Call) async throws -> Response

    /// `GET /api/v1/senders/{id}`.
    var name: String { "\(method.text) \(path)" }

    /// Who may call it.
    enum Access: Sendable, Hashable {
        /// Anybody: the route has its own proof, e.g. a password or a token.
        case open
        /// Whoever has signed in and may do this.
        case user(Action)
        /// The operator, by the token in the state folder.
        case `operator`
    }

    enum Success: Sendable {
        case empty
        case one(String, Status = .ok)
        case page(String)
        case text(String)
        /// A file of one of these media types.
        case file([String], Status = .ok)
        /// A file of one of these media types, or nothing where nothing is to be said.
        case fileOrNothing([String])
        /// 200 without a body, where a standard asks for that.
        case done
        /// A WebSocket, where the request asks for one.
        case socket
    }
}
