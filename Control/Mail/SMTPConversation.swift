import CCurl
import Glibc
import Units

/// One mail on its way, by libcurl: connects, secures, signs in, hands over. Blocks for at most three timeouts, on a thread of its own.
struct SMTPConversation: ~Copyable {
    private static let errorBytes = Int(CURL_ERROR_SIZE)
    /// Before the first handle; libcurl counts them, and this one is never taken back.
    private static let begun = strata_curl_begin()

    private let handle: UnsafeMutableRawPointer
    private let complaint: UnsafeMutablePointer<CChar>

    init() throws(SMTPError) {
        guard Self.begun == CURLE_OK, let handle = curl_easy_init() else {
            throw SMTPError(function: "curl_easy_init", code: Int32(Self.begun.rawValue), reply: 0, reason: "no handle")
        }
        self.handle = handle
        complaint = .allocate(capacity: Self.errorBytes)
        complaint.initialize(repeating: 0, count: Self.errorBytes)
    }

    deinit {
        // It has written to the buffer for the last time.
        curl_easy_cleanup(handle)
        complaint.deallocate()
    }

    /// - Throws: where it was not taken; nothing of it is stored by the server then, unless the answer to its end was lost.
    consuming func send(_ mail: [UInt8], to: MailAddress, by server: MailServer) throws(SMTPError) {
        var recipients: UnsafeMutablePointer<curl_slist>?
        defer { curl_slist_free_all(recipients) }
        recipients = curl_slist_append(nil, "<\(to)>")
        guard recipients != nil else { throw SMTPError(function: "curl_slist_append", code: ENOMEM, reply: 0, reason: "no memory") }
        try check("curl_easy_setopt", strata_curl_set_buffer(handle, CURLOPT_ERRORBUFFER, complaint))
        try prepare(server)
        try check("curl_easy_setopt", strata_curl_set_list(handle, CURLOPT_MAIL_RCPT, recipients))
        let source = MailSource(mail)
        let held = Unmanaged.passRetained(source)
        defer { held.release() }
        try check("curl_easy_setopt", strata_curl_set_reader(handle, readMail, held.toOpaque()))
        do throws(SMTPError) {
            try check("curl_easy_perform", curl_easy_perform(handle))
        } catch {
            var error = error
            error.isAboutMail = Self.isAboutMail(error.code, source)
            throw error
        }
    }

    /// Connects, secures and signs in, and leaves. Blocks for at most two timeouts.
    ///
    /// - Throws: where it comes to none of it.
    consuming func greet(_ server: MailServer) throws(SMTPError) {
        try check("curl_easy_setopt", strata_curl_set_buffer(handle, CURLOPT_ERRORBUFFER, complaint))
        try prepare(server)
        // Up to the login and no further. Source: CURLOPT_CONNECT_ONLY(3), which names SMTP.
        try set(CURLOPT_CONNECT_ONLY, 1)
        try check("curl_easy_perform", curl_easy_perform(handle))
    }

    /// libcurl says CURLE_SEND_ERROR where MAIL, RCPT or DATA is refused, and CURLE_WEIRD_SERVER_REPLY for a greeting and for the answer to
    /// the mail's end alike: by then the mail was read. Source: lib/smtp.c.
    private static func isAboutMail(_ code: Int32, _ source: MailSource) -> Bool {
        code == Int32(CURLE_SEND_ERROR.rawValue) || (code == Int32(CURLE_WEIRD_SERVER_REPLY.rawValue) && source.wasRead)
    }

    private func prepare(_ server: MailServer) throws(SMTPError) {
        let scheme = server.security == .tls ? "smtps" : "smtp"
        // Its path is the name in EHLO: the machine's own would tell a name of an inner network.
        try set(CURLOPT_URL, "\(scheme)://\(server.place)/\(server.from.host)")
        try set(CURLOPT_PROTOCOLS_STR, "smtp,smtps")
        // An environment's proxy would see the mails.
        try set(CURLOPT_PROXY, "")
        try set(CURLOPT_MAIL_FROM, "<\(server.from)>")
        try set(CURLOPT_UPLOAD, 1)
        // No signals: other threads have theirs. SIGPIPE is ignored by the first loop.
        try set(CURLOPT_NOSIGNAL, 1)
        let timeoutMs = Int(server.timeout.components.seconds) * 1000 + Int(server.timeout.components.attoseconds / 1_000_000_000_000_000)
        try set(CURLOPT_CONNECTTIMEOUT_MS, timeoutMs)
        try set(CURLOPT_TIMEOUT_MS, timeoutMs * 3)
        try set(CURLOPT_SERVER_RESPONSE_TIMEOUT, max(1, timeoutMs / 1000))
        if server.security != .none {
            try set(CURLOPT_USE_SSL, Int(CURLUSESSL_ALL.rawValue))
            try set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
            try set(CURLOPT_SSL_VERIFYPEER, 1)
            try set(CURLOPT_SSL_VERIFYHOST, 2)
            if let file = server.authorityFile {
                try set(CURLOPT_CAINFO, file)
                // Debian's library looks into the system's folder besides: this authority and no other.
                try check("curl_easy_setopt", strata_curl_set_text(handle, CURLOPT_CAPATH, nil))
            }
        }
        guard let user = server.user else { return }
        try set(CURLOPT_USERNAME, user)
        try set(CURLOPT_PASSWORD, server.password.revealed)
    }

    private func set(_ option: CURLoption, _ text: String) throws(SMTPError) {
        try check("curl_easy_setopt", strata_curl_set_text(handle, option, text))
    }

    private func set(_ option: CURLoption, _ number: Int) throws(SMTPError) {
        try check("curl_easy_setopt", strata_curl_set_number(handle, option, number))
    }

    private func check(_ function: String, _ code: CURLcode) throws(SMTPError) {
        guard code != CURLE_OK else { return }
        let detail = String(cString: complaint)
        throw SMTPError(
            function: function, code: Int32(code.rawValue), reply: strata_curl_reply(handle),
            reason: String((detail.isEmpty ? String(cString: curl_easy_strerror(code)) : detail).escaped().prefix(200)))
    }
}

/// What libcurl reads a mail from; only its thread does.
private final class MailSource {
    private let bytes: [UInt8]
    private var offset = 0
    var wasRead: Bool { offset == bytes.count }

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(buffer.count, bytes.count - offset)
        buffer.copyBytes(from: bytes[offset..<offset + count])
        offset += count
        return count
    }
}

private func readMail(
    _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let buffer, let context else { return 0 }
    return Unmanaged<MailSource>.fromOpaque(context).takeUnretainedValue()
        .read(into: UnsafeMutableRawBufferPointer(start: buffer, count: size * count))
}
