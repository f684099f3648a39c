import HTTP
import Wire

/// Every kind of error the API ends with; the raw value is the stable name in `type`.
enum ProblemKind: String, CaseIterable, Sendable {
    case malformed
    case timedOut = "timed-out"
    case invalid
    case unauthorized = "not-signed-in"
    case forbidden
    case notFound = "not-found"
    case methodNotAllowed = "method-not-allowed"
    case notAcceptable = "not-acceptable"
    case conflict
    case outdated
    case conditionNeeded = "condition-needed"
    case quota = "quota-reached"
    case enrolled = "enrolled-already"
    case revoked
    case gone
    case tooLarge = "too-large"
    case unsupportedMedia = "unsupported-media-type"
    case upgradeNeeded = "upgrade-needed"
    case tooMany = "too-many-requests"
    case fieldsTooLarge = "fields-too-large"
    case busy
    case internalError = "internal"

    var status: Status {
        switch self {
        case .malformed: Status(code: 400)
        case .unauthorized: Status(code: 401)
        case .forbidden: Status(code: 403)
        case .notFound: Status(code: 404)
        case .methodNotAllowed: Status(code: 405)
        case .notAcceptable: Status(code: 406)
        case .timedOut: .requestTimeout
        case .conflict, .enrolled: Status(code: 409)
        case .gone, .revoked: Status(code: 410)
        case .outdated: Status(code: 412)
        case .tooLarge: Status(code: 413)
        case .unsupportedMedia: .unsupportedMediaType
        case .invalid: .unprocessable
        case .upgradeNeeded: .upgradeRequired
        case .conditionNeeded: Status(code: 428)
        case .tooMany, .quota: .tooManyRequests
        case .fieldsTooLarge: .headersTooLarge
        case .internalError: Status(code: 500)
        case .busy: .unavailable
        }
    }

    var title: String {
        switch self {
        case .malformed: "The request cannot be read"
        case .timedOut: "The request came too slowly"
        case .invalid: "The request cannot be carried out as it is"
        case .unauthorized: "Sign in first"
        case .forbidden: "Your role does not allow this"
        case .notFound: "There is no such thing"
        case .methodNotAllowed: "This path does not take that method"
        case .notAcceptable: "Nothing that is offered can be taken"
        case .conflict: "It contradicts what is there"
        case .outdated: "It has changed meanwhile"
        case .conditionNeeded: "It takes a condition, If-Match"
        case .quota: "There are as many as there may be"
        case .enrolled: "This machine is enrolled already"
        case .revoked: "This machine was revoked"
        case .gone: "It is over"
        case .tooLarge: "The request is too large"
        case .unsupportedMedia: "The body is of another media type"
        case .upgradeNeeded: "This is a WebSocket"
        case .tooMany: "Too many requests"
        case .fieldsTooLarge: "The header or trailer fields are too large"
        case .internalError: "The server failed"
        case .busy: "The server cannot do this now"
        }
    }
}

extension Problem {
    /// What it says may be put together of what people and devices wrote: it is cut to the bounds of a text of the API.
    init(_ kind: ProblemKind, _ detail: String? = nil, faults: [Fault]? = nil) {
        self.init(
            type: "https://strata.invalid/problems/\(kind.rawValue)", title: kind.title, status: kind.status.code,
            detail: detail?.bounded(),
            faults: faults?.map { Fault(field: $0.field.bounded(), expected: $0.expected.bounded()) })
    }
}
