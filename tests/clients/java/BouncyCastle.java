import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.math.BigInteger;
import java.net.HttpURLConnection;
import java.net.URL;
import java.security.SecureRandom;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1Primitive;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.nist.NISTObjectIdentifiers;
import org.bouncycastle.asn1.ocsp.BasicOCSPResponse;
import org.bouncycastle.asn1.ocsp.OCSPObjectIdentifiers;
import org.bouncycastle.asn1.ocsp.OCSPResponse;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.Extensions;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateHolder;
import org.bouncycastle.cert.ocsp.BasicOCSPResp;
import org.bouncycastle.cert.ocsp.CertificateID;
import org.bouncycastle.cert.ocsp.CertificateStatus;
import org.bouncycastle.cert.ocsp.OCSPReq;
import org.bouncycastle.cert.ocsp.OCSPReqBuilder;
import org.bouncycastle.cert.ocsp.OCSPResp;
import org.bouncycastle.cert.ocsp.RespID;
import org.bouncycastle.cert.ocsp.RevokedStatus;
import org.bouncycastle.cert.ocsp.SingleResp;
import org.bouncycastle.cert.ocsp.UnknownStatus;
import org.bouncycastle.operator.DigestCalculatorProvider;
import org.bouncycastle.operator.jcajce.JcaContentVerifierProviderBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;

/**
 * BouncyCastle's OCSP classes: they ask, verify, and write anew what they have read. Run by tests/clients/bouncycastle.rs.
 *
 * Each line of the standard input is ISSUER, LEAF (PEM files), URL, SHA1 or SHA256, and NONCE or PLAIN, parted by tabs.
 * For each one line is printed: GOOD, REVOKED REASON SECONDS (REASON is - where none is given) or UNKNOWN. Whatever
 * is wrong with a reply ends the run.
 */
public class BouncyCastle {
    public static void main(String[] arguments) throws Exception {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] part = line.split("\t", -1);
            X509CertificateHolder issuer = read(part[0]);
            BigInteger serial = read(part[1]).getSerialNumber();
            CertificateID asked = new CertificateID(digests().get(algorithm(part[3])), issuer, serial);
            System.out.println(judge(issuer, asked, part[2], part[4].equals("NONCE")));
        }
    }

    private static String judge(X509CertificateHolder issuer, CertificateID asked, String url, boolean withNonce)
            throws Exception {
        OCSPReqBuilder builder = new OCSPReqBuilder().addRequest(asked);
        byte[] nonce = new byte[32];
        if (withNonce) {
            new SecureRandom().nextBytes(nonce);
            byte[] wrapped = new DEROctetString(nonce).getEncoded();
            Extension extension = new Extension(OCSPObjectIdentifiers.id_pkix_ocsp_nonce, false, wrapped);
            builder.setRequestExtensions(new Extensions(extension));
        }
        byte[] octets = post(url, builder.build());
        OCSPResp reply = new OCSPResp(octets);
        check(reply.getStatus() == OCSPResp.SUCCESSFUL, "status " + reply.getStatus());
        writtenAnew(octets);
        BasicOCSPResp basic = (BasicOCSPResp) reply.getResponseObject();
        check(basic.getVersion() == 1, "version");
        check(basic.getCerts().length == 1, "certificates: " + basic.getCerts().length);
        X509CertificateHolder signer = basic.getCerts()[0];
        JcaContentVerifierProviderBuilder verifiers = new JcaContentVerifierProviderBuilder();
        check(basic.isSignatureValid(verifiers.build(signer)), "the reply's signature");
        check(signer.isSignatureValid(verifiers.build(issuer)), "the signer's certificate");
        RespID named = new RespID(signer.getSubjectPublicKeyInfo(), digests().get(RespID.HASH_SHA1));
        check(named.equals(basic.getResponderId()), "the responder is named by another key");
        Extension echoed = basic.getExtension(OCSPObjectIdentifiers.id_pkix_ocsp_nonce);
        check((echoed != null) == withNonce, "a nonce where none was asked for, or none where one was");
        if (withNonce) {
            check(Arrays.equals(new DEROctetString(nonce).getEncoded(), echoed.getExtnValue().getOctets()), "nonce");
        }
        check(basic.getResponses().length == 1, "answers: " + basic.getResponses().length);
        SingleResp single = basic.getResponses()[0];
        byte[] echo = single.getCertID().toASN1Primitive().getEncoded(ASN1Encoding.DER);
        check(Arrays.equals(asked.toASN1Primitive().getEncoded(ASN1Encoding.DER), echo), "another CertID");
        check(!single.getThisUpdate().after(basic.getProducedAt()), "thisUpdate after producedAt");
        check(single.getNextUpdate().after(basic.getProducedAt()), "nextUpdate before producedAt");
        return said(single.getCertStatus());
    }

    private static String said(CertificateStatus status) {
        if (status == CertificateStatus.GOOD) {
            return "GOOD";
        }
        if (status instanceof RevokedStatus revoked) {
            String reason = revoked.hasRevocationReason() ? "" + revoked.getRevocationReason() : "-";
            return "REVOKED " + reason + " " + revoked.getRevocationTime().getTime() / 1000;
        }
        check(status instanceof UnknownStatus, "a status of no kind");
        return "UNKNOWN";
    }

    /** Both layers, read into objects and written by BouncyCastle as DER, must be what came. */
    private static void writtenAnew(byte[] octets) throws Exception {
        OCSPResponse outer = OCSPResponse.getInstance(ASN1Primitive.fromByteArray(octets));
        check(Arrays.equals(octets, outer.getEncoded(ASN1Encoding.DER)), "OCSPResponse is not DER");
        byte[] inside = outer.getResponseBytes().getResponse().getOctets();
        BasicOCSPResponse basic = BasicOCSPResponse.getInstance(ASN1Primitive.fromByteArray(inside));
        check(Arrays.equals(inside, basic.getEncoded(ASN1Encoding.DER)), "BasicOCSPResponse is not DER");
    }

    private static byte[] post(String url, OCSPReq request) throws Exception {
        HttpURLConnection connection = (HttpURLConnection) new URL(url).openConnection();
        connection.setDoOutput(true);
        connection.setRequestProperty("Content-Type", "application/ocsp-request");
        try (OutputStream out = connection.getOutputStream()) {
            out.write(request.getEncoded());
        }
        check(connection.getResponseCode() == 200, "HTTP " + connection.getResponseCode());
        check("application/ocsp-response".equals(connection.getContentType()), connection.getContentType());
        try (InputStream in = connection.getInputStream()) {
            return in.readAllBytes();
        }
    }

    private static AlgorithmIdentifier algorithm(String name) {
        // With parameters NULL, and without any: both are legal and come back as they were.
        return name.equals("SHA1") ? CertificateID.HASH_SHA1 : new AlgorithmIdentifier(NISTObjectIdentifiers.id_sha256);
    }

    private static DigestCalculatorProvider digests() throws Exception {
        return new JcaDigestCalculatorProviderBuilder().build();
    }

    private static X509CertificateHolder read(String file) throws Exception {
        try (InputStream in = new FileInputStream(file)) {
            X509Certificate certificate =
                    (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
            return new JcaX509CertificateHolder(certificate);
        }
    }

    private static void check(boolean holds, String otherwise) {
        if (!holds) {
            throw new IllegalStateException(otherwise);
        }
    }
}
