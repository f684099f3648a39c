/// What stands before an acceptor's state: cookies that prove an address without storing it, and a limit on answers.
struct HelloDoor {
    private static let cookieLife: Microseconds = 10_000_000
    private static let bucket: Microseconds = 1_000_000
    /// A dialer sends its hello at most five times in the first second. Recorded hellos are authentic and can be sent again from
    /// anywhere: for each only so many answers, and for all of them together.
    private static let answersForEach = 8
    private static let answersForAll = 1000
    private static let remembered = 256

    private let crypto: BondCrypto
    private let secret: [UInt8]
    /// The buckets count from here, so that they tell nothing of the machine's clock.
    private let born: Microseconds
    private var second: Microseconds = -1
    private var answered: [[UInt8]: Int] = [:]
    private var answers = 0

    init(_ crypto: BondCrypto, at now: Microseconds) {
        self.crypto = crypto
        secret = crypto.random(32)
        born = now
    }

    /// Counts an answer to the hello with this random; false where there were enough in this second.
    mutating func mayAnswer(_ random: [UInt8], at now: Microseconds) -> Bool {
        if now / 1_000_000 != second {
            second = now / 1_000_000
            answered.removeAll(keepingCapacity: true)
            answers = 0
        }
        let count = answered[random] ?? 0
        guard count < Self.answersForEach, answers < Self.answersForAll else { return false }
        if count > 0 || answered.count < Self.remembered { answered[random] = count + 1 }
        answers += 1
        return true
    }

    func cookie(_ greeting: Greeting, _ source: [UInt8], at now: Microseconds) -> [UInt8] {
        cookie(greeting, source, bucket: bucket(now))
    }

    func isGood(_ cookie: [UInt8], _ greeting: Greeting, _ source: [UInt8], at now: Microseconds) -> Bool {
        var reader = ByteReader(cookie)
        let current = bucket(now)
        guard let made = reader.u64(), made <= current, current - made <= UInt64(Self.cookieLife / Self.bucket) else { return false }
        return isEqual(cookie, self.cookie(greeting, source, bucket: made))
    }

    private func bucket(_ now: Microseconds) -> UInt64 { UInt64(max(0, now - born) / Self.bucket) }

    private func cookie(_ greeting: Greeting, _ source: [UInt8], bucket: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append64(bucket)
        let message = bytes + [greeting.link.value] + greeting.session.bytes + greeting.random + source
        return bytes + crypto.hmac(secret, message).prefix(Handshake.cookieBytes - bytes.count)
    }
}
