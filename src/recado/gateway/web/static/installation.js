/* The administrator's start page: the installation's health, and who did what lately. */
import { ask, doing, part } from "./page.js";
import { drawAudit, drawDoctor } from "./findings.js";

const check = part("doctor", () => ask("/v1/doctor"), drawDoctor);
const audit = part("audit", () => ask("/v1/audit?limit=12"), drawAudit);
const pressed = document.getElementById("check");
pressed.addEventListener("click", () => doing(pressed, check));
doing(pressed, check);
audit();
