import Testing
import Units

@testable import Webhooks

@Suite("A signature")
struct WebhookSignatureTests {
    // The example of the specification, which its libraries are tested by (standard-webhooks/standard-webhooks).
    private let secret = Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    private let body = "{\"test\": 2432232314}"
    private let id = "msg_p5jXN8AQM9LWM0D4loKWxJek"
    private let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

    private func headers(_ secrets: [Secret], _ unixSeconds: Int64 = 1_614_265_330) -> [String: String] {
        let headers = WebhookSignature.headers(id: id, unixSeconds: unixSeconds, body: body, secrets: secrets)
        return Dictionary(uniqueKeysWithValues: headers)
    }

    @Test("is the one of the specification's example")
    func example() {
        #expect(headers([secret]) == ["webhook-id": id, "webhook-timestamp": "1614265330", "webhook-signature": signature])
    }

    @Test("is of that moment and that body, and stands once for each secret")
    func several() throws {
        #expect(headers([secret], 1_614_265_331)["webhook-signature"] != signature)
        let other = Secret("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
        let both = try #require(headers([secret, other])["webhook-signature"]).split(separator: " ").map(String.init)
        #expect(both.count == 2 && both[0] == signature && both[1].hasPrefix("v1,") && both[1] != signature)
    }
}
