import Auth
import Blobs
import Releases
import Store
import Units
import Wire

// size: data table

/// The named shapes of the API, as the OpenAPI document lists them.
enum Schemas {
    static func named(_ name: String) -> Schema {
        guard let schema = all[name] else { preconditionFailure("every reference is to a schema of this table: \(name)") }
        return schema
    }

    // Kinds of text.
    static let id = Schema.text(
        .init(
            length: 26...26, pattern: "^[0-7][0-9A-HJKMNP-TV-Z]{25}$", expectation: "an id of 26 characters", accepts: { ULID($0) != nil }))
    static let time = Schema.text(.init(length: 20...30, format: "date-time", expectation: "a time in ISO 8601"))
    static let line = Schema.text(.init(expectation: "a text of at most \(WireLimits.textCharacters) characters"))
    static let name = Schema.text(
        .init(
            length: 1...100, pattern: plain, expectation: "a name of 1 to 100 characters on one line, none of which hides or turns others",
            accepts: { $0.isPlain && !$0.allSatisfy(\.isWhitespace) }))
    /// Of a person. What is stored may be older than the rule.
    static let displayName = Schema.text(
        .init(length: DisplayName.length, pattern: plain, expectation: DisplayName.expected, accepts: DisplayName.isGood))
    /// The name of something on a board.
    static let handle = Schema.text(
        .init(length: 1...256, pattern: plain, expectation: "the id of an input, or the name of a link", accepts: \.isPlain))
    /// `Unicode.Scalar.isHostile`, as a regular expression of ECMA 262.
    private static let plain =
        "^[^\\x00-\\x1f\\x7f-\\x9f\\u061c\\u115f\\u1160\\u180e\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u2064\\u2066-\\u2069\\u3164\\ufeff\\uffa0]+$"
    static let slug = Schema.text(
        .init(
            length: 2...40, pattern: "^[a-z0-9]+(-[a-z0-9]+)*$", expectation: "2 to 40 lower-case letters, digits and single hyphens",
            accepts: isSlug))
    static let email = Schema.text(
        .init(
            length: 3...254, pattern: "^[!-?A-~]+@[!-?A-~]+$", expectation: "a mail address such as name@example.org", accepts: isEmail))
    static let password = Schema.text(.init(length: 10...200, expectation: "a password of 10 to 200 characters"))
    static let secret = Schema.text(.init(length: 1...512, expectation: "a secret of 1 to 512 characters"))
    static let code = Schema.text(.init(length: 1...64, expectation: "a code of 16 letters and digits"))
    static let streamID = Schema.text(.init(length: 1...512, expectation: "a stream id of 1 to 512 characters"))
    static let toml = Schema.text(.init(length: 0...65536, expectation: "TOML text of at most 64 KiB"))
    static let url = Schema.text(
        .init(length: 1...2000, expectation: "an address such as rtmp://host/app, rtmps://host/app or srt://host:port"))
    /// Of whoever is made a user: the owner's is only handed over.
    static let invitable = choice(["member", "host", "admin"])
    static let message = Schema.text(
        .init(
            length: 1...300, pattern: plain, expectation: "1 to 300 characters on one line, none of which hides or turns others",
            accepts: { $0.isPlain && !$0.allSatisfy(\.isWhitespace) }))
    /// Of a broadcast's timeline: its place in time.
    static let eventID = Schema.text(
        .init(
            length: 1...80, pattern: "^-?[0-9]{1,19}\\.(sender|control)\\.-?[0-9]{1,19}\\.[0-9]{1,19}$", expectation: "the id of an event",
            accepts: { FlightPlace($0) != nil }))
    private static let pageLanguage = choice(PageLocale.allCases.filter { $0 != .automatic }.map(\.rawValue))
    /// Of a text in the catalogue of the pages.
    private static let textName = Schema.text(
        .init(length: 1...64, pattern: "^[A-Za-z0-9._-]+$", expectation: "the name of a text, of letters, digits, dots and hyphens"))
    /// Of a file.
    static let fileName = Schema.text(
        .init(
            length: 68...69, pattern: "^[0-9a-f]{64}\\.(png|jpg|webp)$", expectation: "64 hexadecimal digits and .png, .jpg or .webp",
            accepts: isFileName))
    /// Of a player's link.
    static let playerToken = Schema.text(
        .init(length: 43...43, pattern: "^[A-Za-z0-9_-]{43}$", expectation: "a token of 43 characters", accepts: isToken))
    static let playerFile = Schema.text(
        .init(
            length: 5...40, pattern: "^(index\\.m3u8|init-[0-9]{1,18}\\.mp4|[0-9]{1,18}\\.m4s)$",
            expectation: "index.m3u8, or a file that it names", accepts: isPlayerFile))
    /// Of what boards fetch.
    static let releaseFile = Schema.text(
        .init(
            length: 6...72, pattern: "^([0-9a-f]{64}|keys\\.[1-9][0-9]{0,5}|[0-9][0-9A-Za-z.-]{4,63}\\.release)$",
            expectation: "a SHA-256, keys.NUMBER or VERSION.release", accepts: isReleaseFile))
    static let digest = Schema.text(
        .init(
            length: 64...64, pattern: "^[0-9a-f]{64}$", expectation: "the SHA-256 of the file as 64 hexadecimal digits in lower case",
            accepts: isDigest))
    static let colour = Schema.text(
        .init(length: 7...7, pattern: "^#[0-9A-Fa-f]{6}$", expectation: "a colour such as #2563EB", accepts: isColour))
    /// Empty: none.
    private static let chosenColour = Schema.text(
        .init(
            length: 0...7, pattern: "^(#[0-9A-Fa-f]{6})?$", expectation: "a colour such as #2563EB, or nothing",
            accepts: isColourOrNothing))
    private static let chosenFile = Schema.text(
        .init(
            length: 0...69, pattern: "^([0-9a-f]{64}\\.(png|jpg|webp))?$", expectation: "the name of a file that was uploaded, or nothing"))
    private static func isFileName(_ text: String) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 2 && isDigest(String(parts[0])) && PictureFile.Kind(rawValue: String(parts[1])) != nil
    }
    private static func isToken(_ text: String) -> Bool {
        text.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == UInt8(ascii: "-")
                || byte == UInt8(ascii: "_")
        }
    }
    private static func isPlayerFile(_ text: String) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard text != "index.m3u8", parts.count == 2 else { return text == "index.m3u8" }
        let number = parts[1] == "m4s" ? parts[0] : parts[0].hasPrefix("init-") && parts[1] == "mp4" ? parts[0].dropFirst(5) : ""
        return (1...18).contains(number.utf8.count) && number.utf8.allSatisfy { (48...57).contains($0) }
    }
    private static func isReleaseFile(_ text: String) -> Bool {
        if text.hasPrefix("keys.") { return LineReader.number(String(text.dropFirst(5)), upTo: Int64(KeyList.numberLimit)) ?? 0 > 0 }
        if text.hasSuffix(".release") { return ReleaseVersion(String(text.dropLast(8))) != nil }
        return isDigest(text)
    }
    static func isDigest(_ text: String) -> Bool {
        text.utf8.count == 64 && text.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    }
    private static func isColourOrNothing(_ text: String) -> Bool { text.isEmpty || isColour(text) }
    private static func isColour(_ text: String) -> Bool {
        text.utf8.first == UInt8(ascii: "#") && text.utf8.count == 7
            && text.utf8.dropFirst().allSatisfy { (48...57).contains($0) || (65...70).contains($0) || (97...102).contains($0) }
    }
    static let count = Schema.integer(0...Int(Int32.max) * 4096)
    static let port = Schema.integer(1...65535)

    static func choice(_ choices: [String]) -> Schema {
        .text(.init(length: 0...64, choices: choices, expectation: "one of " + choices.joined(separator: ", ")))
    }

    static func choice<Choice: RawRepresentable & CaseIterable>(_: Choice.Type) -> Schema where Choice.RawValue == String {
        choice(Choice.allCases.map(\.rawValue))
    }

    static func page(of name: String) -> Schema { .object([.required("items", .list(.reference(name), upTo: 10_000))]) }

    /// - Parameter whom: the field that says it.
    private static func inviting(_ whom: Schema.Field) -> Schema {
        .object([
            whom, .required("role", invitable), .optional("message", message), .optional("expiresInSeconds", .integer(3600...2_592_000)),
        ])
    }

    private static func isSlug(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        return parts.allSatisfy { part in
            !part.isEmpty && part.allSatisfy { (48...57).contains($0) || (97...122).contains($0) }
        }
    }

    private static func isEmail(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
        return parts.count == 2 && parts.allSatisfy { !$0.isEmpty } && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }
    }

    static let all: [String: Schema] = [
        devices, media, webhooks, alerts, players, rooms, meetings, figures, rollouts, recordings,
        serverUpdates,
    ].reduce(accounts) { all, part in
        all.merging(part) { _, _ in preconditionFailure("the document would have one of two schemas with one name") }
    }

    private static let accounts: [String: Schema] = [
        "RegisterRequest": .object([
            .required("setupSecret", secret), .required("organizationName", name), .required("organizationSlug", slug),
            .required("email", email), .required("password", password), .required("displayName", displayName),
        ]),
        "LoginRequest": .object([
            .required("email", email), .required("password", .text(.init(length: 1...200, expectation: "a password"))),
            .optional("organization", slug),
        ]),
        "Session": .object([
            .required("accessToken", .text(.init(length: 1...2000, expectation: "a token"))), .required("expiresInSeconds", count),
            .required("user", .reference("User")), .required("may", .list(choice(Action.self), upTo: 100)),
        ]),
        "User": .object([
            .required("id", id), .required("email", email), .required("displayName", name), .required("role", choice(Role.self)),
            .required("active", .flag), .required("organization", .reference("Organization")), .optional("avatar", line),
        ]),
        "ChangeProfileRequest": .object([.optional("displayName", displayName), .optional("avatar", chosenFile)]),
        "ChangeEmailRequest": .object([
            .required("email", email), .required("password", .text(.init(length: 1...200, expectation: "one's own password"))),
        ]),
        "ConfirmEmailRequest": .object([.required("token", secret)]),
        "Organization": .object([
            .required("id", id), .required("name", name), .required("slug", slug), .optional("slate", .reference("Slate")),
            .optional("locale", choice(PageLocale.self)), .optional("branding", .reference("Branding")),
        ]),
        "Branding": .object([
            .required("mode", choice(ThemeMode.self)), .required("brand", colour), .optional("background", colour),
            .optional("text", colour), .optional("textOnPrimary", colour), .required("videoBackground", colour),
            .required("spacing", .integer(3...6)), .required("border", choice(ThemeBorder.self)),
            .required("corners", choice(ThemeCorners.self)), .required("logoHeight", .integer(16...48)), .optional("logo", line),
            .optional("icon", line),
        ]),
        "ChangeBrandingRequest": .object([
            .optional("mode", choice(ThemeMode.self)), .optional("brand", colour), .optional("background", chosenColour),
            .optional("text", chosenColour), .optional("textOnPrimary", chosenColour), .optional("videoBackground", colour),
            .optional("spacing", .integer(3...6)), .optional("border", choice(ThemeBorder.self)),
            .optional("corners", choice(ThemeCorners.self)), .optional("logoHeight", .integer(16...48)),
            .optional("logo", chosenFile), .optional("icon", chosenFile),
        ]),
        "UploadRequest": .object([
            .required("sha256", digest), .required("kind", choice(PictureFile.Kind.self)), .required("bytes", .integer(1...98_304)),
        ]),
        "Upload": .object([
            .required("url", .text(.init(length: 1...400, expectation: "an address below the server's origin"))),
            .required("name", fileName), .required("expiresInSeconds", count),
        ]),
        "Slate": .object([
            .required("kind", choice(SlateFile.Kind.self)), .required("width", count), .required("height", count),
            .required("bytes", count),
        ]),
        "CreateUserRequest": .object([
            .required("email", email), .required("displayName", displayName), .required("role", invitable),
            .required("password", password),
        ]),
        "ChangeUserRequest": .object([
            .optional("role", invitable), .optional("active", .flag), .optional("displayName", displayName),
        ]),
        "ChangePasswordRequest": .object([
            .required("current", .text(.init(length: 1...200, expectation: "the password until now"))), .required("password", password),
        ]),
        "PasswordResetRequest": .object([.required("email", email), .optional("organization", slug)]),
        "NewPasswordRequest": .object([.required("token", secret), .required("password", password)]),
        "PasswordResetLink": .object([.required("sent", .flag), .optional("link", line)]),
        "InviteRequest": inviting(.required("email", email)),
        "InviteManyRequest": inviting(.required("csv", .text(.init(length: 1...65536, expectation: "lines of CSV, at most 64 KiB")))),
        "Invitation": .object([
            .required("id", id), .required("email", email), .required("role", invitable),
            .required("state", choice(InvitationView.State.self)), .required("createdAt", time), .required("expiresAt", time),
            .required("invitedBy", id), .optional("byCode", .flag), .optional("message", message), .optional("link", line),
        ]),
        "Invitations": page(of: "Invitation"),
        "OfferRequest": .object([.required("token", secret)]),
        "Offer": .object([
            .required("organization", line), .required("email", email), .required("role", invitable), .required("expiresAt", time),
        ]),
        "AcceptRequest": .object([.required("token", secret), .required("displayName", displayName), .required("password", password)]),
        "Settings": .object([
            .required("name", name), .required("locale", choice(PageLocale.self)),
            .required("registration", choice(RegistrationPolicy.self)),
            .optional("code", code), .optional("link", line), .optional("terms", line), .optional("termsURL", line),
        ]),
        "ChangeSettingsRequest": .object([
            .optional("name", name), .optional("locale", choice(PageLocale.self)),
            .optional("registration", choice(RegistrationPolicy.self)), .optional("newCode", .flag),
            .optional("terms", .text(.init(length: 0...300, expectation: "at most 300 characters on one line", accepts: \.isPlain))),
            .optional("termsURL", .text(.init(length: 0...500, expectation: "an address that begins with https://, or nothing"))),
        ]),
        "WordingItem": .object([
            .required("locale", pageLanguage), .required("key", textName),
            .required("text", .text(.init(length: 0...500, expectation: "at most 500 characters on one line", accepts: \.isPlain))),
        ]),
        "ChangeWordingRequest": .object([.required("items", .list(.reference("WordingItem"), upTo: 100, atLeast: 1))]),
        "DeleteOrganizationRequest": .object([
            .required("organization", slug), .required("password", .text(.init(length: 1...200, expectation: "one's own password"))),
        ]),
        "RegistrationCodeRequest": .object([.required("organization", slug), .required("code", code)]),
        "Registration": .object([.required("organization", line), .optional("terms", line), .optional("termsURL", line)]),
        "JoinRequest": .object([
            .required("organization", slug), .required("code", code), .required("email", email), .optional("agrees", .flag),
        ]),
        "Join": .object([.required("sent", .flag), .optional("link", line)]),
        "CreateAPITokenRequest": .object([
            .required("name", name), .required("scopes", .list(choice(APITokenScope.self), upTo: APITokenScope.allCases.count, atLeast: 1)),
            .optional("expiresInSeconds", .integer(3600...31_536_000)),
            .required("password", .text(.init(length: 1...200, expectation: "one's own password"))),
        ]),
        "APIToken": .object([
            .required("id", id), .required("name", name),
            .required("scopes", .list(choice(APITokenScope.self), upTo: APITokenScope.allCases.count)), .required("user", id),
            .required("createdAt", time), .required("expiresAt", time), .optional("lastUsedAt", time), .optional("lastAddress", line),
            .optional("token", secret),
        ]),
        "TransferRequest": .object([
            .required("user", id), .required("password", .text(.init(length: 1...200, expectation: "one's own password"))),
        ]),
        "Login": .object([
            .required("id", id), .required("createdAt", time), .required("lastUsedAt", time), .required("address", line),
            .required("userAgent", line), .required("current", .flag),
        ]),
        "Config": .object([
            .required("release", line), .required("ownerExists", .flag), .required("sendsMail", .flag),
            .optional("organization", .reference("House")),
        ]),
        "House": .object([.required("name", name), .required("slug", slug), .required("branding", .reference("Branding"))]),
        "Setup": .object([.required("ownerExists", .flag), .required("sendsMail", .flag)]),
        "Ticket": .object([.required("ticket", secret)]),
        "CreateOrganizationRequest": .object([
            .required("name", name), .required("slug", slug), .required("ownerEmail", email), .required("ownerDisplayName", displayName),
            .required("ownerPassword", password),
        ]),
        "Problem": .object([
            .required("type", line), .required("title", line), .required("status", .integer(400...599)), .optional("detail", line),
            .optional("faults", .list(.object([.required("field", line), .required("expected", line)]), upTo: 1000)),
        ]),
        "Health": .object([.required("status", choice(["ok"]))]),
        "Diagnosis": .object([
            .required("status", choice(Health.Status.self)), .required("probes", .list(.reference("Probe"), upTo: 100)),
        ]),
        "Probe": .object([
            .required("name", line), .required("status", choice(Health.Status.self)), .required("latencyMs", .number),
            .optional("detail", line),
        ]),
        "HealthSnapshot": .object([
            .required("id", id), .required("at", time), .required("occasion", choice(HealthSnapshot.Occasion.self)),
            .required("status", choice(Health.Status.self)), .required("probes", .list(.reference("Probe"), upTo: 100)),
        ]),
        "HealthSnapshots": .object([
            .required("items", .list(.reference("HealthSnapshot"), upTo: DiagnosticsRoutes.pageLimit)), .optional("next", id),
        ]),
        "ErrorTrackingRequest": .object([
            .required("dsn", .text(.init(length: 0...500, expectation: "a DSN such as https://KEY@errors.example.org/4, or nothing")))
        ]),
        "ErrorTracking": .object([
            .optional("own", line), .optional("vendor", line),
            .required(
                "trackers",
                .list(
                    .object([
                        .required("whose", choice(["own", "vendor"])), .required("waiting", count), .required("taken", count),
                        .required("refused", count), .required("dropped", count),
                    ]), upTo: 2)),
        ]),
        "PageError": .object([.required("id", line)]),
        "PageErrorRequest": .object([
            .required("kind", choice(PageErrorKind.self)),
            .required("name", .text(.init(length: 1...100, expectation: "the kind of an error"))),
            .required("message", .text(.init(length: 0...1000, expectation: "at most 1000 characters"))),
            .optional("stack", .text(.init(length: 0...8000, expectation: "at most 8000 characters"))),
            .required("path", .text(.init(length: 1...500, expectation: "the path of a page"))),
            .optional("trail", .list(.reference("PageStep"), upTo: 20)),
        ]),
        "PageStep": .object([
            .required("msAgo", .integer(0...86_400_000)),
            .required("text", .text(.init(length: 1...200, expectation: "at most 200 characters"))),
        ]),
        "AuditEntry": .object([
            .required("id", id), .required("at", time), .optional("author", line), .optional("authorName", name), .optional("token", id),
            .required("authorKind", choice(["user", "visitor", "device", "operator", "system"])), .required("action", line),
            .optional("subject", line), .optional("subjectName", name), .optional("detail", line),
        ]),
    ]

    private static let devices: [String: Schema] = [
        "CreateTokenRequest": .object([
            .required("kind", choice(["sender", "pool"])), .optional("name", name), .optional("expiresInSeconds", .integer(60...2_592_000)),
            .optional("configuration", toml), .optional("sender", id),
        ]),
        "Token": .object([
            .required("id", id), .required("kind", choice(["sender", "pool"])), .optional("name", name), .required("expiresAt", time),
            .optional("device", id), .optional("sender", id), .optional("token", secret),
        ]),
        "EnrollRequest": .object([
            .required("token", secret),
            .required("publicKey", .text(.init(length: 43...43, pattern: "^[A-Za-z0-9_-]{43}$", expectation: "32 bytes in base64url"))),
            .required("name", name), .required("kind", choice(["sender", "pool"])),
        ]),
        "EnrollResponse": .object([.required("device", id), .optional("organization", id), .required("name", name)]),
        "Link": .object([
            .required("name", line), .required("kind", choice(["ethernet", "wifi", "cellular", "virtual", "other"])),
            .required("state", choice(["up", "unaddressed", "down"])), .required("addresses", .list(line, upTo: 256)),
            .required("mtu", count), .optional("reason", line),
        ]),
        "Input": .object([
            .required("id", line), .required("kind", choice(["test", "v4l2", "alsa", "file"])), .required("name", line),
            .required("media", choice(["video", "audio", "both"])), .required("modes", .list(.reference("VideoMode"), upTo: 256)),
        ]),
        "VideoMode": .object([
            .required("width", count), .required("height", count), .required("frames", count), .required("frameSeconds", count),
            .required("format", line),
        ]),
        "VideoEncoder": .object([
            .required("id", choice(EncoderID.self)), .required("codec", choice(VideoCodec.self)), .required("hardware", .flag),
        ]),
        "Inventory": .object([
            .required("links", .list(.reference("Link"), upTo: 256)), .required("inputs", .list(.reference("Input"), upTo: 256)),
            .required("encoders", .list(.reference("VideoEncoder"), upTo: 256)),
        ]),
        "Sender": .object([
            .required("id", id), .required("name", name), .required("online", .flag), .optional("lastSeenAt", time),
            .optional("agentVersion", line), .optional("flaggedAt", time), .required("inventory", .reference("Inventory")),
            .required(
                "configuration", .object([.required("wanted", count), .required("applied", count), .optional("reason", line)])),
            .optional(
                "defaults", .object([.required("input", .reference("InputChoice")), .required("encoder", .reference("EncoderChoice"))])),
            .optional("location", .reference("Location")), .optional("speedTests", .list(.reference("SpeedTest"), upTo: 32)),
        ]),
        "Share": .object([
            .required("name", choice(["users", "senders", "destinations", "broadcasts", "webhooks", "files", "storage"])),
            .required("used", count), .required("limit", count),
        ]),
        "Location": .object([
            .optional("text", line),
            .optional(
                "position",
                .object([.required("latitude", .number), .required("longitude", .number), .optional("altitudeMeters", .number)])),
        ]),
        "ChangeSenderRequest": .object([.optional("name", name)]),
        "ChangeConfigurationRequest": .object([.required("toml", toml)]),
        "Configuration": .object([.required("version", count), .required("toml", toml), .required("createdAt", time)]),
        "ConfigurationAnswer": .object([
            .required("version", count), .required("result", choice(["applied", "refused", "pending"])), .optional("reason", line),
        ]),
        "ResetModemRequest": .object([.required("modem", handle), .optional("force", .flag)]),
        "SpeedTestRequest": .object([.required("link", handle)]),
        "SpeedTest": .object([
            .required("link", handle), .required("at", time), .optional("upload", count), .optional("rttMs", .number),
            .optional("reason", line),
        ]),
        "ResetModemAnswer": .object([.required("modem", handle), .optional("reason", line)]),
        "Host": .object([
            .required("id", id), .required("name", name), .required("online", .flag), .optional("lastSeenAt", time),
            .optional("version", line),
            .required("addresses", .list(line, upTo: 64)),
            .optional("portRange", .object([.required("first", port), .required("last", port)])),
            .required("hasRoom", .flag), .required("draining", .flag), .required("streams", count), .optional("allStreams", count),
            .optional("capacity", count), .optional("cpuPercent", .integer(0...100)),
        ]),
        "ChangeHostRequest": .object([.required("draining", .flag)]),
    ]

    private static let media: [String: Schema] = [
        "DestinationRequest": .object([
            .required("name", name), .optional("url", url), .optional("preset", choice(DestinationRequest.Preset.self)),
            .optional("secret", secret), .optional("streamID", streamID), .optional("srtMode", choice(["caller", "listener"])),
            .optional("latencyMs", .integer(20...8000)),
        ]),
        "Destination": .object([
            .required("id", id), .required("name", name), .required("url", url), .optional("maskedSecret", line),
            .optional("streamID", line),
            .optional("srtMode", choice(["caller", "listener"])), .optional("latencyMs", count),
        ]),
        "DestinationTest": .object([
            .required("succeeded", .flag), .required("steps", .list(.reference("DestinationTestStep"), upTo: 8)),
        ]),
        "DestinationTestStep": .object([
            .required("step", choice(OutputTestStep.self)), .required("passed", .flag), .optional("reason", line),
        ]),
        "InputChoice": .object([
            .required("video", handle), .optional("audio", handle),
        ]),
        "EncoderChoice": .object([
            .required("id", choice(EncoderID.self)), .required("codec", choice(VideoCodec.self)),
            .required("bitrate", .integer(100_000...50_000_000)), .required("audioBitrate", .integer(32_000...320_000)),
            .required("width", .integer(160...3840)), .required("height", .integer(120...2160)), .required("frameRate", .integer(1...60)),
        ]),
        "StartRequest": .object([
            .required("sender", id), .required("destinations", .list(id, upTo: WireLimits.outputs, atLeast: 1)),
            .optional("input", .reference("InputChoice")),
            .optional("encoder", .reference("EncoderChoice")), .optional("bufferMs", .integer(100...10_000)),
            .optional("links", .list(handle, upTo: 16, atLeast: 1)), .optional("protection", choice(Protection.self)),
            .optional("graceSeconds", .integer(0...604_800)), .optional("record", .flag),
        ]),
        "RehearsalRequest": .object([
            .required("sender", id), .optional("input", .reference("InputChoice")), .optional("encoder", .reference("EncoderChoice")),
            .optional("bufferMs", .integer(100...10_000)), .optional("links", .list(handle, upTo: 16, atLeast: 1)),
            .optional("protection", choice(Protection.self)), .optional("seconds", .integer(RehearsalRequest.bounds)),
        ]),
        "Rehearsal": .object([
            .required("id", id), .required("sender", id), .required("state", choice(RehearsalView.State.self)),
            .optional("step", choice(["lease", "sender", "media", "outputs"])), .optional("reason", line), .required("createdAt", time),
            .optional("endsAt", time), .optional("endedAt", time), .required("seconds", count),
            .required("input", .reference("InputChoice")), .required("encoder", .reference("EncoderChoice")), .required("asked", count),
            .optional("heldBack", line), .required("bufferMs", count), .required("mostBytes", count),
            .optional("report", .reference("RehearsalReport")),
        ]),
        "RehearsalReport": .object([
            .required("verdict", choice(RehearsalReport.Verdict.self)),
            .required(
                "findings",
                .list(
                    .object([
                        .required("kind", choice(RehearsalReport.Finding.Kind.self)), .required("isFault", .flag), .optional("link", line),
                        .optional("value", .number), .required("text", line), .required("advice", line),
                    ]), upTo: 256)),
            .optional(
                "recommendation",
                .object([.required("bitrate", count), .required("deliverable", count), .required("isLimit", .flag)])),
            .required("seconds", count), .required("links", .list(.reference("RehearsedLink"), upTo: 32)),
            .optional(
                "bond",
                .object([
                    .required("delivered", count), .required("deliveredPackets", count), .required("lostPackets", count),
                    .optional("latencyMs", .number), .optional("latencyP95Ms", .number),
                ])),
            .required("asked", .list(count, upTo: 200)), .required("made", .list(count, upTo: 200)), .required("sentBytes", count),
        ]),
        "RehearsedLink": .object([
            .required("name", line), .required("carried", .flag), .optional("reason", line), .optional("loss", .number),
            .optional("rttMs", .number), .optional("rttP95Ms", .number), .required("delivered", count), .required("share", .number),
            .optional("capacity", count), .required("deliveredPackets", count), .required("lostPackets", count),
            .required("droppedPackets", count), .optional("mtu", count), .required("liveShare", .number), .required("sentBytes", count),
            .optional("leftBytes", count),
        ]),
        "ChangeBroadcastRequest": .object([
            .optional("bitrate", .integer(100_000...50_000_000)), .optional("input", .reference("InputChoice")),
        ]),
        "AddOutputRequest": .object([.required("destination", id)]),
        "BringIntoRoomRequest": .object([.required("room", id)]),
        "OutputReport": .object([
            .required("id", id), .required("state", choice(["connecting", "connected", "retrying", "failed"])), .optional("reason", line),
            .required("sentBytesTotal", count), .required("droppedUnitsTotal", count), .required("reconnectsTotal", count),
            .optional("keyFramesWantedTotal", count),
        ]),
        "BroadcastEvent": .object([
            .required("id", eventID), .required("source", choice(["sender", "control"])), .required("at", time), .required("kind", line),
            .optional("state", line), .optional("link", line), .optional("subject", line), .optional("reason", line), .optional("user", id),
            .optional("omitted", count),
        ]),
        "BroadcastEvents": .object([
            .required("items", .list(.reference("BroadcastEvent"), upTo: BroadcastRoutes.eventLimit)), .optional("next", eventID),
        ]),
        "PathReport": .object([
            .required("source", line), .required("bitrate", count), .required("packetsTotal", count), .optional("rttMs", .number),
            .optional("loss", .number),
        ]),
        "IngestReport": .object([
            .required("state", choice(["waiting", "flowing", "interrupted"])), .required("bitrate", count),
            .required("keyFramesTotal", count),
            .required("lostPacketsTotal", count), .required("recoveredPacketsTotal", count), .required("guardDroppedTotal", count),
            .optional("video", choice(VideoCodec.self)), .optional("width", count), .optional("height", count),
            .required("paths", .list(.reference("PathReport"), upTo: 256)), .optional("latencyMs", .number), .optional("slateMs", count),
            .optional("deliveredPacketsTotal", count),
        ]),
        "Broadcast": .object([
            .required("id", id), .required("sender", id),
            .required("state", choice(["starting", "live", "degraded", "interrupted", "stopping", "ended"])),
            .optional("step", choice(["lease", "sender", "media", "outputs"])), .optional("reason", line), .optional("since", time),
            .required("createdAt", time), .optional("endedAt", time), .required("input", .reference("InputChoice")),
            .required("encoder", .reference("EncoderChoice")), .required("bufferMs", count), .required("graceSeconds", count),
            .required(
                "outputs",
                .list(
                    .object([
                        .required("id", id), .required("destination", id), .required("name", line),
                        .optional("report", .reference("OutputReport")), .optional("room", id),
                    ]),
                    upTo: WireLimits.outputs)
            ),
            .optional("ingest", .reference("IngestReport")),
            .optional(
                "receiver",
                .object([
                    .required("host", id), .optional("port", port), .optional("pid", count), .optional("uptimeSeconds", count),
                    .optional("restarts", count),
                ])),
            .optional("notes", .list(line, upTo: 2)), .optional("thumbnailAt", time),
        ]),
    ]
}
