import Wire

/// What the modules below call the fields that people send: a fault is told by the name that its request has.
enum FaultNames {
    /// Of those that stand for one, the one that a request has.
    static let all: [String: [String]] = [
        "organization.name": ["name", "organizationName"], "organization.slug": ["slug", "organizationSlug"],
        "user.email": ["email", "ownerEmail"], "user.display_name": ["displayName", "ownerDisplayName"],
        "invitation.message": ["message"],
        "password": ["password", "ownerPassword"], "current": ["password"], "token.name": ["name"], "settings.terms": ["terms"],
        "settings.terms_url": ["termsURL"], "registration.agrees": ["agrees"], "deletion.slug": ["organization"],
        "alerts.webhook_url": ["webhookURL"],
        "enrollment.label": ["name"],
        "public_key": ["publicKey"],
        "sender.name": ["name"], "room.name": ["name"], "pool.name": ["name"], "configuration": ["configuration"],
        "configuration.toml": ["toml"],
        "destination.name": ["name"], "destination.secret": ["secret"], "destination.latency_ms": ["latencyMs"],
        "destination.stream_id": ["streamID"], "webhook.url": ["url"], "webhook.description": ["description"], "webhook.kinds": ["kinds"],
        "meeting.title": ["title"], "meeting.description": ["description"], "meeting.scheduled_start": ["scheduledStart"],
        "meeting.scheduled_end": ["scheduledEnd"], "guest_link.label": ["label"], "guest_link.preset": ["preset"],
        "rollout.plan": ["plan"], "recording.record": ["record"], "recording.keep_days": ["keepDays"],
        "wording.key": ["items"], "wording.text": ["items"], "wording.locale": ["items"],
        "user.avatar": ["avatar"], "branding.brand": ["brand"], "branding.background": ["background"], "branding.text": ["text"],
        "branding.text_on_primary": ["textOnPrimary"], "branding.video_background": ["videoBackground"], "branding.spacing": ["spacing"],
        "branding.logo_height": ["logoHeight"], "branding.logo": ["logo"], "branding.icon": ["icon"],
        // The parts of an address.
        "destination.host": ["url"], "destination.port": ["url"], "destination.application": ["url"],
        // One of them, or a list.
        "destination": ["destination", "destinations"],
    ]

    /// - Returns: nil where the request has no such field.
    static func field(_ name: String, of body: Schema) -> String? {
        let fields = body.fieldNames
        // What follows is a place within it: `destinations[1]`, `toml.video.input`.
        if fields.contains(String(name.prefix { $0 != "." && $0 != "[" })) { return name }
        return all[name]?.first(where: fields.contains)
    }
}

extension Schema {
    /// Of an object; empty for all else.
    var fieldNames: Set<String> {
        switch self {
        case .object(let fields): Set(fields.map(\.name))
        case .reference(let name): Schemas.named(name).fieldNames
        default: []
        }
    }
}

extension Route {
    /// A problem in the words of this route's requests.
    ///
    /// - Parameter stranger: is told of a name that no request of it has, which is our own mistake: the caller is told `body`.
    func naming(_ problem: Problem, stranger: (String) -> Void) -> Problem {
        guard let faults = problem.faults, let body else { return problem }
        var problem = problem
        problem.faults = faults.map { fault in
            if let field = FaultNames.field(fault.field, of: .reference(body)) {
                return Problem.Fault(field: field, expected: fault.expected)
            }
            stranger(fault.field)
            return Problem.Fault(field: "body", expected: fault.expected)
        }
        return problem
    }
}
